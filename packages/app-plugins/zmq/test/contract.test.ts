import { appSuite } from "@threatbus/testkit";
import { zmq } from "../src/index.ts";
import { freePorts } from "./stand.ts";

appSuite({
  name: "zmq",
  create: async () => zmq(await freePorts()),
  invalid: [
    () => zmq({ pub: 80_000 }),
    () => zmq({ pub: 0 }),
    () => zmq({ pub: 1, sub: 1 }),
    () => zmq({ host: "" }),
    () => zmq({ max_message_size: 17 * 1024 * 1024 }),
    () => zmq({ grace: 0 }),
    () => zmq({ unknown: 1 } as never),
  ],
});
