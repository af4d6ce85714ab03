import { appSuite, freePort, freePorts } from "@threatbus/testkit";
import { zeek } from "../src/index.ts";

appSuite({
  name: "zeek",
  async create() {
    const [port = 0, bridge = 0] = await freePorts(2);
    return zeek({ port, bridge: { port: bridge } });
  },
  invalid: [
    () => zeek({ port: 0 }),
    () => zeek({ host: "" }),
    () => zeek({ module_namespace: "not a module" }),
    () => zeek({ websocket: [{ url: "http://127.0.0.1:27759" }] }),
    () => zeek({ websocket: [{ url: "ws://user:secret@127.0.0.1:27759" }] }),
    () => zeek({ websocket: [{ url: "ws://127.0.0.1:27759", time_zone: "Nowhere/Land" }] }),
    () => zeek({ tls: { certificate_file: "cert.pem" } }),
    () => zeek({ tls: { certificate_file: "cert.pem", key_file: "key.pem" } }),
    () => zeek({ port: 1234, bridge: { port: 1234 } }),
    () => zeek({ max_frame_size: 1 }),
    () => zeek({ unknown: 1 } as never),
  ],
});

appSuite({
  name: "zeek, dialling what does not answer",
  async create() {
    const port = await freePort();
    return zeek({ listen: false, peers: [{ host: "127.0.0.1", port }], websocket: [{ url: `ws://127.0.0.1:${port}` }] });
  },
  invalid: [() => zeek({ peers: [{ host: "" }] })],
  cannot: { "names itself when it cannot start": "it takes no port and does not wait for Zeek: it starts all the same and goes on trying" },
});
