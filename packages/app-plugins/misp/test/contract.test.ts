import { appSuite, fakeMisp, mispFeed } from "@threatbus/testkit";
import { misp } from "../src/index.ts";

const invalid = [() => misp({ zmq: { port: 80_000 } }), () => misp({ zmq: { username: "without a password" } }), () => misp({})];
const cannot = { "names itself when it cannot start": "it takes no port and does not wait for MISP: it starts all the same and goes on trying" };

let feed: Awaited<ReturnType<typeof mispFeed>>;
appSuite({
  name: "misp with its feed",
  peer: async () => (feed = await mispFeed()),
  create: () => misp({ zmq: { host: "127.0.0.1", port: feed.port } }),
  invalid,
  cannot,
});

let api: Awaited<ReturnType<typeof fakeMisp>>;
appSuite({
  name: "misp with its feed and API",
  async peer() {
    feed = await mispFeed();
    api = await fakeMisp({ feed });
    const event = api.addEvent();
    for (const value of ["198.51.100.7", "198.51.100.8"]) await api.sight((await api.add(event, { value })).uuid);
    return {
      async stop() {
        await api.stop();
        await feed.stop();
      },
    };
  },
  create: () => misp({ zmq: { host: "127.0.0.1", port: feed.port }, api: { host: api.url, key: api.key } }),
  failing: () => misp({ api: { host: api.url, key: api.key, ca_file: "/nowhere/ca.pem" } }),
  invalid,
});
