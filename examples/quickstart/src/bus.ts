import { createServer } from "node:net";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { createBus, isThreatbusError, reasonOf } from "@threatbus/core";
import type { Logger, ThreatBus } from "@threatbus/core";
import { loadConfig } from "@threatbus/core/config";

/** Where programs join the bus. */
export interface Address {
  readonly host: string;
  readonly manage: number;
  readonly pub: number;
  readonly sub: number;
}

/** Plugins are looked for from here: they are dependencies of this example. */
const folder: string = fileURLToPath(new URL("..", import.meta.url));

/**
 * The built-in quick start, an in-memory backbone and the zmq plugin, and beside it the misp plugin. The environment can change all
 * but where the feed is: `THREATBUS_PLUGINS__APPS__ZMQ__MANAGE=14370`.
 * @throws ThreatbusError
 */
export async function composeBus(feedPort: number, logger: Logger): Promise<{ bus: ThreatBus; address: Address }> {
  const misp = "plugins.apps.misp.zmq";
  const { bus, values } = await loadConfig({ cwd: folder, set: [`${misp}.host=127.0.0.1`, `${misp}.port=${feedPort}`] });
  const { zmq } = (values as { plugins: { apps: { zmq?: Partial<Address> | null } } }).plugins.apps;
  const address = { host: "127.0.0.1", manage: 13_370, pub: 13_371, sub: 13_372, ...zmq };
  // A bus on every interface is reached on any of them.
  if (["*", "0.0.0.0"].includes(address.host)) address.host = "127.0.0.1";
  return { bus: createBus({ ...bus, logger }), address };
}

/** In words, for who has to do something about it. */
export function explain(thrown: unknown): string {
  const lines = [reasonOf(thrown)];
  if (isThreatbusError(thrown) && thrown.hint !== undefined) lines.push(thrown.hint);
  if (isThreatbusError(thrown, "PORT_IN_USE")) {
    const others = ["MANAGE=14370", "PUB=14371", "SUB=14372"].map((port) => `THREATBUS_PLUGINS__APPS__ZMQ__${port}`);
    lines.push(`for all three at once: ${others.join(" ")} npm start`, "or in a file of your own: npm start -- -c my.yaml");
  }
  return lines.join("\n  ");
}

/** Ports that nobody has, below those that systems give to outgoing connections: these may take them any time. */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let attempts = 0; attempts < 100 && ports.size < count; attempts++) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const server = createServer().listen(port, "127.0.0.1");
    if (await once(server, "listening").then(() => true, () => false)) ports.add(port);
    server.close();
  }
  if (ports.size < count) throw new Error("no free port between 20000 and 30000");
  return [...ports];
}
