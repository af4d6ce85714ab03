// MISP: attribute messages from ZeroMQ to a subscriber on one core, beside JSON.parse of the same messages; what a million remembered attributes take.
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { atLeast, atMost, count, mebibytes, median, perSecond, short } from "./figures.mjs";
import { blast } from "./load.mjs";
import { complete, freePorts, launch } from "./processes.mjs";

export const title = "MISP: attributes received, mapped and published on one core, beside JSON.parse alone; a million remembered";

const here = dirname(fileURLToPath(import.meta.url));
const templates = join(here, "load", "misp.txt");
const topic = "misp_json_attribute";
const messages = 60_000;
const remembered = 1_000_000;
/** Messages a second that have to be possible on one core. */
const needed = 10_000;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  return [...(await throughput(Math.max(rounds, 3))), ...(await memory())];
}

async function throughput(rounds) {
  const bus = await start({ pinned: true });
  const runs = [];
  let first = 0;
  const jobs = {
    bus: async () => bus.take((first += messages) - messages, messages),
    map: () => bus.ask({ map: messages }),
    parse: () => bus.ask({ parse: messages }),
  };
  try {
    for (let round = 0; round < rounds + 2; round++) {
      const run = {};
      // Who comes first changes from round to round.
      for (let n = 0; n < 3; n++) {
        const name = Object.keys(jobs)[(round + n) % 3];
        run[name] = await jobs[name]();
      }
      if (round < 2) continue;
      runs.push(run);
      const rates = Object.entries(run).map(([name, { seconds }]) => `${name} ${perSecond(messages / seconds)}`);
      console.log(`  ${rates.join(", ")}; with ${short(run.bus.cores)} cores`);
    }
  } finally {
    await bus.stop();
  }
  const rate = (name) => median(runs.map((run) => messages / run[name].seconds));
  const ratios = (name) => runs.map((run) => run.parse.seconds / run[name].seconds);
  const beside = `${perSecond(rate("parse"))}, JSON.parse`;
  return [
    { figure: "MISP attributes, received to published", ours: perSecond(rate("bus")), beside, ...atLeast(0.25, median(ratios("bus"))), detail: { runs, pinned: bus.pinned } },
    { figure: "the same, on one core", ours: perSecond(rate("bus")), bar: `≥ ${count(needed)}/s`, pass: rate("bus") >= needed },
    { figure: "without socket and memory", ours: perSecond(rate("map")), beside, ratio: median(ratios("map")) },
  ];
}

async function memory() {
  const folder = mkdtempSync(join(tmpdir(), "misp-bench-"));
  const path = join(folder, "state");
  try {
    const bus = await start({ path });
    const empty = await bus.ask({ weigh: true });
    await bus.take(0, remembered);
    const full = await bus.ask({ weigh: true });
    await bus.stop();
    const disk = statSync(path).size / full.attributes;
    const again = await start({ path });
    const loaded = await again.ask({ weigh: true });
    await again.stop();
    const each = (full.memory - empty.memory) / full.attributes;
    console.log(`  ${count(full.attributes)} attributes: ${mebibytes(full.memory - empty.memory).toFixed(0)} MiB in memory (by its own account ${mebibytes(full.own).toFixed(0)}), ${mebibytes(disk * full.attributes).toFixed(0)} MiB on disk, read in ${short(loaded.started)} s into ${mebibytes(loaded.memory - empty.memory).toFixed(0)} MiB`);
    if (full.attributes !== remembered || loaded.attributes !== remembered) throw new Error(`remembered ${full.attributes}, then ${loaded.attributes}`);
    return [
      { figure: "an attribute remembered, in memory", ours: `${each.toFixed(0)} bytes`, ...atMost(300, each), ratio: undefined, bar: "≤ 300 bytes" },
      { figure: "the same, on disk", ours: `${disk.toFixed(0)} bytes`, bar: "≤ 300 bytes", pass: disk <= 300 },
      { figure: "a start with a million of them", ours: `${short(loaded.started)} s` },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A process with a bus that listens to a MISP, on a core of its own if that can be had. */
async function start({ path, pinned = false }) {
  const [port] = await freePorts(1);
  const alone = pinned && (await complete("taskset", ["--version"]).then(() => true, () => false));
  const args = ["--expose-gc", join(here, "misp-bus.mjs"), String(port), ...(path === undefined ? [] : [path])];
  const program = alone ? launch("taskset", ["-c", "0", process.execPath, ...args], { ipc: true }) : launch(process.execPath, args, { ipc: true });
  await program.line((line) => line === "ready");
  const answer = () => new Promise((resolve) => program.child.once("message", resolve));
  return {
    pinned: alone,
    stop: program.stop,
    ask(question) {
      const answered = answer();
      program.child.send(question);
      return answered;
    },
    async take(first, number) {
      const all = answer();
      program.child.send({ expect: number });
      await blast({ to: `tcp://127.0.0.1:${port}`, count: number, first, templates, topic, bind: true });
      return await all;
    },
  };
}
