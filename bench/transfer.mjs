// One run of load through a target, and pairs of runs.
import { median } from "./figures.mjs";
import { blast, drain } from "./load.mjs";
import { cpuOf } from "./processes.mjs";

/** Sequence numbers go on from run to run, so that nothing of an earlier run can pass for a message of this one. */
let sequence = 0;
export function takeSequence(count) {
  const first = sequence;
  sequence += count;
  return first;
}

/**
 * Sends `count` indicators through a target to a number of subscribers.
 * `rate`: messages per second from the first to the last arrival; `deliveries`: the same over all subscribers; `cores`: processor time over
 * elapsed time of target, generator and sink.
 */
export async function transfer(target, { subscribers, count, pace = 0 }) {
  const first = takeSequence(count);
  const prefixes = await target.subscribe(subscribers);
  const sink = await drain({ from: target.output, prefixes, count, first });
  await target.attached(subscribers);
  const cpu = cpuOfAll(target);
  const sent = await blast({ to: target.input, count, first, rate: pace });
  const got = await sink.result();
  const targetCpu = cpuOfAll(target) - cpu;
  await target.end(prefixes);
  return {
    rate: got.received / subscribers / got.seconds,
    deliveries: got.received / got.seconds,
    lost: got.lost,
    unexpected: got.unexpected,
    seconds: got.seconds,
    cores: { target: targetCpu / got.seconds, generator: sent.cpu / got.seconds, sink: got.cpu / got.seconds },
  };
}

/** Of a target that may be several processes. */
const cpuOfAll = ({ pid, pids = [pid] }) => pids.reduce((sum, each) => sum + cpuOf(each), 0);

/**
 * Warms a target up and finds how it is to be loaded: with a generator that waits for room, or, if that loses messages, with a pace just
 * below what arrives. `count` then takes about `seconds`.
 */
export async function calibrate(target, { subscribers, seconds, probe }) {
  await transfer(target, { subscribers, count: probe });
  let pace = 0;
  for (let attempt = 0; attempt < 12; attempt++) {
    const run = await transfer(target, { subscribers, count: probe, pace });
    if (run.lost === 0) return { subscribers, pace, count: Math.max(probe, Math.round(run.rate * seconds)) };
    pace = Math.round((pace === 0 ? probe / run.seconds : pace) * 0.9);
    console.log(`  ${target.name} lost ${run.lost} of ${probe * subscribers}: trying ${pace} messages/s`);
  }
  throw new Error(`${target.name} loses messages at any pace`);
}

/** Runs two measurements in turn, A B A B …, and compares them pair by pair. */
export async function pairs(times, a, b) {
  const runs = [];
  for (let i = 0; i < times; i++) runs.push([await a(), await b()]);
  return {
    runs,
    of: (key) => {
      const [ours, theirs] = [0, 1].map((side) => median(runs.map((pair) => pair[side][key])));
      return { ours, theirs, ratio: ours / theirs, ratios: runs.map(([x, y]) => x[key] / y[key]) };
    },
    lost: (side) => runs.reduce((sum, pair) => sum + pair[side].lost, 0),
  };
}
