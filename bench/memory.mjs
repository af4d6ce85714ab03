// Memory over millions of messages, and beside a subscriber that has stopped reading.
import { atLeast, atMost, count, mebibytes, median, perSecond, short, slope } from "./figures.mjs";
import { drain } from "./load.mjs";
import { memoryOf } from "./processes.mjs";
import { startBus } from "./targets.mjs";
import { calibrate, pairs, transfer } from "./transfer.mjs";

export const title = "Memory: flat over millions of messages, bounded beside a stopped subscriber";

/** MiB of resident memory that the second half of a run may lie above the quarter before it. */
const flatness = 16;
/** A queue holds 64 MiB at most; the allocator and the sockets get half of that and 50 MiB on top. */
const stoppedAllowance = 64 * 1.5 + 50;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds, seconds, messages }) {
  return [await flat(messages), ...(await stopped({ rounds, seconds }))];
}

/** Reads the memory of a process every 100 ms until stopped. */
function watch(pid) {
  const start = performance.now();
  const samples = [];
  const timer = setInterval(() => samples.push({ x: (performance.now() - start) / 1000, y: mebibytes(memoryOf(pid)) }), 100);
  return () => {
    clearInterval(timer);
    return samples;
  };
}

async function flat(messages) {
  const bus = await startBus();
  try {
    const { pace } = await calibrate(bus, { subscribers: 1, seconds: 1, probe: 100_000 });
    const stop = watch(bus.pid);
    const run = await transfer(bus, { subscribers: 1, count: messages, pace });
    const samples = stop();
    const quarter = Math.floor(samples.length / 4);
    const level = (part) => median(part.map(({ y }) => y));
    const before = level(samples.slice(quarter, 2 * quarter));
    const after = level(samples.slice(2 * quarter));
    const perMillion = (slope(samples.slice(2 * quarter)) * run.seconds) / (messages / 1e6);
    const highest = Math.max(...samples.map(({ y }) => y));
    console.log(`  ${count(messages)} messages at ${perSecond(run.rate)}, lost ${run.lost}: ${short(before)} MiB, then ${short(after)} MiB,`);
    console.log(`    at most ${short(highest)} MiB; slope of the second half ${perMillion.toFixed(2)} MiB per million messages`);
    return {
      figure: `memory over ${count(messages)} messages`,
      ours: `${short(after)} MiB`,
      beside: `${short(before)} MiB before half-time`,
      bar: `≤ +${flatness} MiB`,
      pass: after - before <= flatness && run.lost === 0,
      detail: { slopePerMillion: perMillion, highest, lost: run.lost, samples },
    };
  } finally {
    await bus.stop();
  }
}

/** A healthy subscriber alone, and beside one that is connected and stopped. */
async function stopped({ rounds, seconds }) {
  const bus = await startBus();
  try {
    const load = await calibrate(bus, { subscribers: 1, seconds, probe: 100_000 });
    const base = mebibytes(memoryOf(bus.pid));
    const stop = watch(bus.pid);
    let dropped = 0;
    const beside = async () => {
      const prefixes = await bus.subscribe(1);
      const sleeper = await drain({ from: bus.output, prefixes, count: load.count });
      sleeper.child.kill("SIGSTOP");
      const result = await transfer(bus, load);
      dropped += droppedIn(await bus.stats());
      sleeper.child.kill("SIGKILL");
      await bus.end(prefixes);
      return result;
    };
    const result = await pairs(rounds, beside, () => transfer(bus, load));
    const { ours, theirs, ratio, ratios } = result.of("rate");
    const highest = Math.max(...stop().map(({ y }) => y));
    const lost = result.lost(0) + result.lost(1);
    console.log(`  beside a stopped subscriber ${perSecond(ours)} of ${perSecond(theirs)}, pair by pair ${ratios.map(short).join(" ")}`);
    console.log(`    the healthy one lost ${lost}; the bus counted ${count(dropped)} drops for the stopped one`);
    const held = atLeast(0.9, ratio);
    return [
      {
        figure: "messages/s beside a stopped subscriber, and without",
        ours: perSecond(ours),
        beside: perSecond(theirs),
        ...held,
        pass: held.pass && lost === 0,
        detail: { ratios, lost, dropped, runs: result.runs },
      },
      {
        figure: "memory gained beside a stopped subscriber",
        ours: `${short(highest - base)} MiB`,
        bar: `≤ ${stoppedAllowance} MiB`,
        pass: atMost(stoppedAllowance, highest - base).pass,
      },
    ];
  } finally {
    await bus.stop();
  }
}

function droppedIn(stats) {
  return stats.subscriptions.reduce((sum, { dropped }) => sum + Object.values(dropped).reduce((a, b) => a + b, 0), 0);
}
