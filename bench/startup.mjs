// From the start of a process to its first accepted subscription.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { count, median } from "./figures.mjs";
import { subscribe } from "./manage.mjs";
import { complete, freePorts, launch } from "./processes.mjs";
import { installReference, writeConfiguration } from "./targets.mjs";

export const title = "Start: to the first accepted subscription";

const here = dirname(fileURLToPath(import.meta.url));
const command = join(here, "..", "packages", "cli", "bin", "threatbus.js");
const limit = 1_000;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  const starts = new Map([["node -e 0", emptyNode]]);
  starts.set("a bus composed in code", () => untilSubscribed((ports) => [process.execPath, [join(here, "bus.mjs"), ...ports.map(String)]]));
  if (existsSync(command)) {
    starts.set("threatbus -c FILE", () => untilSubscribed((ports) => [process.execPath, [command, "-c", writeConfiguration(ports, "start")]]));
  }
  const bin = await installReference().catch((error) => console.log(`  without the reference: ${error.message}`));
  if (bin) starts.set("the Python reference", () => untilSubscribed((ports) => [bin, ["-c", writeConfiguration(ports, "start-reference")]]));

  const times = new Map([...starts.keys()].map((name) => [name, []]));
  for (let round = 0; round <= 2 * rounds; round++) {
    for (const [name, start] of starts) {
      const ms = await start();
      // The first round reads everything from disk.
      if (round > 0) times.get(name).push(ms);
    }
  }
  const theirs = times.has("the Python reference") ? median(times.get("the Python reference")) : undefined;
  const empty = median(times.get("node -e 0"));
  return ["threatbus -c FILE", "a bus composed in code"].filter((name) => times.has(name)).map((name) => {
    const ms = median(times.get(name));
    console.log(`  ${name}: ${count(ms)} ms (${times.get(name).map(count).join(" ")}); node -e 0: ${count(empty)} ms`);
    return {
      figure: `start, ${name} (node -e 0: ${count(empty)} ms; reference)`,
      ours: `${count(ms)} ms`,
      ...(theirs === undefined ? {} : { beside: `${count(theirs)} ms`, ratio: ms / theirs }),
      bar: `< ${count(limit)} ms`,
      pass: ms < limit,
      detail: { times: times.get(name) },
    };
  });
}

async function emptyNode() {
  const start = performance.now();
  await complete(process.execPath, ["-e", "0"]);
  return performance.now() - start;
}

/** Milliseconds until a subscription is accepted. */
async function untilSubscribed(line) {
  const ports = await freePorts(3);
  const [program, args] = line(ports);
  const start = performance.now();
  const child = launch(program, args);
  try {
    const died = child.ended.then(({ errors }) => {
      throw new Error(`${program} ${args.join(" ")} ended by itself: ${errors.trim()}`);
    });
    await Promise.race([subscribe(`tcp://127.0.0.1:${ports[0]}`, 20_000), died]);
    return performance.now() - start;
  } finally {
    await child.stop(500);
  }
}
