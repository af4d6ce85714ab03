import { appSuite } from "@threatbus/testkit";
import { XPublisher } from "zeromq";
import { misp } from "../src/index.ts";

let port = 0;

appSuite({
  name: "misp",
  async peer() {
    const socket = new XPublisher({ linger: 0 });
    await socket.bind("tcp://127.0.0.1:*");
    port = Number(socket.lastEndpoint?.split(":").at(-1));
    return { stop: async () => socket.close() };
  },
  create: () => misp({ zmq: { host: "127.0.0.1", port } }),
  invalid: [() => misp({ zmq: { port: 80_000 } }), () => misp({ zmq: { username: "without a password" } })],
  cannot: { "names itself when it cannot start": "it takes no port and does not wait for MISP: it starts all the same and goes on trying" },
});
