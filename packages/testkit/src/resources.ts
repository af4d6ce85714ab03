import { existsSync, readdirSync } from "node:fs";

/** What keeps this process busy: handles and timers by kind, and, on Linux, open file descriptors. */
export type Resources = ReadonlyMap<string, number>;

/** Milliseconds; the test runner gathers its reports with timers of a tenth of a second. */
const settleTime = 250;

/** The least seen within the settle time. */
export async function resourcesInUse(): Promise<Resources> {
  const deadline = performance.now() + settleTime;
  let least = await look();
  while (performance.now() < deadline) {
    const seen = await look();
    least = new Map([...least].map(([kind, count]) => [kind, Math.min(count, seen.get(kind) ?? 0)]));
  }
  return least;
}

/** Waits until no more is in use than `before`. @throws Error naming what is left over after `patience` ms */
export async function expectFreed(before: Resources, patience: number): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const left = [...(await look())].filter(([kind, count]) => count > (before.get(kind) ?? 0));
    if (left.length === 0) return;
    if (performance.now() > deadline) {
      throw new Error(`not freed: ${left.map(([kind, count]) => `${count - (before.get(kind) ?? 0)} ${kind}`).join(", ")}`);
    }
  }
}

async function look(): Promise<Resources> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setImmediate(resolve));
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  if (existsSync("/proc/self/fd")) counts.set("file descriptor", readdirSync("/proc/self/fd").length);
  return counts;
}
