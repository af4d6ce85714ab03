// The bus beside the Python reference, each with its in-memory backbone and ZeroMQ plugin.
//
// The reference takes messages in faster than it gives them out and keeps the rest in memory without limit, so a generator that waits for
// room measures how fast it works off a backlog. What it sustains is the highest pace at which it gives out as much as it takes in.
import { atLeast, median, perSecond, short } from "./figures.mjs";
import { installReference, startBus, startReference } from "./targets.mjs";
import { calibrate, pairs, transfer } from "./transfer.mjs";

export const title = "Reference: the bus beside the Python Threat Bus 2022.5.16";

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds, seconds }) {
  const bin = await referenceOrReason();
  if (bin === undefined) return [{ figure: "the Python reference", ours: "skipped: it cannot be installed here" }];
  const start = [startBus, () => startReference(bin)];
  const one = { subscribers: 1, bar: 80, key: "rate", unit: "messages/s, one subscriber", probe: 100_000 };
  const ten = { subscribers: 10, bar: 50, key: "deliveries", unit: "deliveries/s, ten subscribers", probe: 10_000 };
  return [...(await besideReference(...start, { rounds, seconds, ...one })), ...(await besideReference(...start, { rounds, seconds, ...ten }))];
}

/** The reference's command. Prints the reason where it cannot be had. */
export async function referenceOrReason() {
  try {
    return await installReference();
  } catch (error) {
    console.log(`  skipped, the reference cannot be installed: ${error.message}`);
    return undefined;
  }
}

/**
 * Two targets, the second being the reference, or hosts of it.
 * @returns {Promise<import("./figures.mjs").Row[]>}
 */
export async function besideReference(startOurs, startTheirs, { rounds, seconds, subscribers, bar, key, unit, probe }) {
  const bus = await startOurs();
  const reference = await startTheirs();
  try {
    const busLoad = await calibrate(bus, { subscribers, seconds, probe });
    const { load, backlog } = await sustained(reference, { subscribers, seconds });
    const result = await pairs(rounds, () => transfer(bus, busLoad), () => transfer(reference, load));
    const { ours, theirs, ratio, ratios } = result.of(key);
    const lost = [result.lost(0), result.lost(1)];
    console.log(`  ${unit}: ${perSecond(ours)} of ${perSecond(theirs)}, pair by pair ${ratios.map(short).join(" ")}, lost ${lost.join(" and ")}`);
    [bus, reference].forEach(({ name }, side) => console.log(`    cores used: ${name} ${short(median(result.runs.map((pair) => pair[side].cores.target)))}`));
    const held = atLeast(bar, ratio);
    return [
      {
        figure: `${unit}: reference, sustained`,
        ours: perSecond(ours) + (busLoad.pace > 0 ? " (paced)" : ""),
        beside: perSecond(theirs),
        ...held,
        pass: held.pass && lost[0] + lost[1] === 0,
        detail: { ratios, lost, runs: result.runs },
      },
      { figure: `${unit}: reference, working off a backlog`, ours: perSecond(ours), beside: perSecond(backlog[key]), ratio: ours / backlog[key] },
    ];
  } finally {
    await Promise.all([bus.stop(), reference.stop()]);
  }
}

/** The highest pace, in steps of a twentieth, at which the reference gives out as much as it takes in. */
async function sustained(reference, { subscribers, seconds }) {
  await transfer(reference, { subscribers, count: 500 });
  const backlog = await transfer(reference, { subscribers, count: Math.round(5_000 / Math.sqrt(subscribers)) });
  for (let pace = backlog.rate; pace > backlog.rate / 4; pace *= 0.95) {
    const load = { subscribers, pace: Math.round(pace), count: Math.round(pace * seconds) };
    const run = await transfer(reference, load);
    if (run.lost === 0 && run.rate >= 0.98 * pace) return { load, backlog };
  }
  throw new Error("the reference sustains no pace");
}
