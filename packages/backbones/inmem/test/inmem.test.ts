import { backboneSuite } from "@threatbus/testkit";
import { inmem } from "../src/index.ts";

const oneProcess = "one process is one host: that is what in memory means";

backboneSuite({
  name: "inmem",
  create: () => inmem(),
  cannot: { "reaches every host": oneProcess, "goes on when another host stops": oneProcess },
});
