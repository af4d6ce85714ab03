import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems number outgoing connections from. */
const first = 10_000, last = 32_000;

/**
 * Ports of 127.0.0.1 where nobody listens, all different. None is of the range for outgoing connections: there, any connection of the
 * machine may take it a moment later, and a client that keeps dialling a port that is down is sooner or later given that very port as its own.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 100 * count) throw new Error(`no ${count} free ports between ${first} and ${last}`);
    const port = first + Math.floor(Math.random() * (last - first));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  const free = await once(server, "listening").then(() => true, () => false);
  if (free) server.close();
  return free && once(server, "close").then(() => true);
}
