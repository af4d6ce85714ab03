// Messages from one process over a broker to another, or back to the same one.
import { atLeast, median, perSecond, short } from "./figures.mjs";
import { cpuOf, launch } from "./processes.mjs";
import { pairs, takeSequence } from "./transfer.mjs";

/** Messages of the runs that warm up and find out how many fill the time. */
const probe = 10_000;

/**
 * Who publishes and who subscribes, which may be one process, and the broker between them.
 * @typedef {{ name: string, publisher: Station, subscriber: Station, broker: number, stop: () => Promise<void> }} Crossing
 * @typedef {{ pid: number, ask: (kind: string, order?: object) => Promise<object>, stop: () => Promise<void> }} Station
 */

/** Seconds after which a station that does not answer is given up. */
const patience = 120;

/** @returns {Promise<Station>} a program that `station.mjs` speaks for */
export async function startStation(script, args) {
  const program = launch(process.execPath, [new URL(script, import.meta.url).pathname, ...args.map(String)], { ipc: true });
  await program.line((line) => line === "ready");
  const asked = [];
  program.child.on("message", ({ id, ...answer }) => asked[id](answer));
  const died = program.ended.then(({ errors }) => Promise.reject(new Error(`${script} ended: ${errors.trim()}`)));
  died.catch(() => {});
  return {
    pid: program.child.pid,
    stop: program.stop,
    ask(kind, order) {
      const answered = new Promise((resolve) => program.child.send({ id: asked.push(resolve) - 1, kind, ...order }));
      let timer;
      const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`${script} does not answer`)), patience * 1_000)));
      return Promise.race([died, late, answered]).finally(() => clearTimeout(timer));
    },
  };
}

/** `rate`: messages per second from the first publish to the last arrival; `confirmed`: to the broker's last answer. */
async function cross({ publisher, subscriber, broker }, { count, window }) {
  const first = takeSequence(count);
  await subscriber.ask("expect", { first, count });
  const pids = [...new Set([publisher.pid, subscriber.pid]), broker];
  const before = pids.map(cpuOf);
  const [sent, got] = await Promise.all([publisher.ask("publish", { first, count, window }), subscriber.ask("result")]);
  const used = pids.map((pid, i) => cpuOf(pid) - before[i]);
  // The publisher's own copies, and acknowledgements.
  await Promise.all([publisher.ask("settle"), subscriber.ask("settle")]);
  const seconds = got.at - sent.began;
  return {
    rate: count / seconds,
    confirmed: count / (sent.at - sent.began),
    lost: got.lost,
    repeated: got.repeated,
    unordered: got.unordered,
    /** Seconds of processor time per message: of the publisher, of the subscriber if it is another process, of the broker. */
    cpu: used.map((cpu) => cpu / count),
  };
}

/**
 * Two crossings in turn, many times and for a short time each: what disturbs the machine meanwhile disturbs both of a pair.
 * @param {() => Promise<Crossing>} startOurs
 * @param {() => Promise<Crossing>} startTheirs
 * @param {number | undefined} bar that the ratio of the rates is held against
 * @returns {Promise<import("./figures.mjs").Row>}
 */
export async function compare(startOurs, startTheirs, { figure, bar, times, seconds, window }) {
  const sides = [];
  try {
    for (const start of [startOurs, startTheirs]) sides.push(await start());
    const loads = [];
    for (const side of sides) {
      await cross(side, { count: probe, window });
      const { rate } = await cross(side, { count: probe, window });
      loads.push({ count: Math.max(probe, Math.round(rate * seconds)), window });
    }
    const result = await pairs(times, ...sides.map((side, i) => () => cross(side, loads[i])));
    const { ours, theirs, ratios } = result.of("rate");
    // Not of the medians: within a pair the machine is the same.
    const ratio = median(ratios);
    const wrong = (key) => result.runs.flat().reduce((sum, run) => sum + run[key], 0);
    const [lost, repeated, unordered] = ["lost", "repeated", "unordered"].map(wrong);
    console.log(`  ${figure}: ${perSecond(ours)} of ${perSecond(theirs)}, pair by pair ${ratios.map(short).join(" ")}`);
    console.log(`    lost ${lost}, repeated ${repeated}, out of order ${unordered}`);
    sides.forEach(({ name }, side) => console.log(`    processor time per message: ${name} ${processorTime(result.runs.map((pair) => pair[side].cpu))}`));
    const held = bar === undefined ? { ratio } : atLeast(bar, ratio);
    return {
      figure,
      ours: perSecond(ours),
      beside: perSecond(theirs),
      ...held,
      ...(bar !== undefined && { pass: held.pass && lost === 0 && unordered === 0 }),
      detail: { ratios, lost, repeated, unordered, runs: result.runs },
    };
  } finally {
    await Promise.all(sides.map(({ stop }) => stop()));
  }
}

function processorTime(runs) {
  const of = (i) => `${short(median(runs.map((used) => used.at(i))) * 1e6)} µs`;
  return runs[0].length === 2 ? `${of(0)}, broker ${of(1)}` : `publisher ${of(0)}, subscriber ${of(1)}, broker ${of(2)}`;
}
