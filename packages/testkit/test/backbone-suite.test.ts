import { backboneSuite, loopback } from "../src/index.ts";

backboneSuite({
  name: "loopback",
  create: loopback,
  cannot: {
    "reaches every host": "a loopback ends where it begins",
    "goes on when another host stops": "a loopback ends where it begins",
  },
});
