import { once } from "node:events";
import { createServer } from "node:net";

/** Below the ports that systems number outgoing connections from. */
const first = 10_000, last = 32_000;
/** Parts of that range: test files that run side by side, each in a worker of its own, must not take what another has just found free. */
const parts = 8;
const width = Math.floor((last - first) / parts);
const begin = first + width * (Number(process.env["VITEST_POOL_ID"] ?? 0) % parts);
/** What this process was given: nobody may listen there yet. */
const given = new Set<number>();

/**
 * Ports of 127.0.0.1 where nobody listens, all different. None is of the range for outgoing connections: there, any connection of the
 * machine may take it a moment later, and a client that keeps dialling a port that is down is sooner or later given that very port as its own.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 100 * count) throw new Error(`no ${count} free ports between ${begin} and ${begin + width}`);
    const port = begin + Math.floor(Math.random() * width);
    if (given.has(port)) continue;
    given.add(port);
    if (await isFree(port)) ports.add(port);
    else given.delete(port);
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
