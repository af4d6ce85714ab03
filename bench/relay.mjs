// ZeroMQ in, ZeroMQ out: the bus beside the bare forwarder.
import { atLeast, atMost, count, median, perSecond, short } from "./figures.mjs";
import { blast, drain, pingpong } from "./load.mjs";
import { freePorts } from "./processes.mjs";
import { startBus, startForwarder } from "./targets.mjs";
import { calibrate, pairs, takeSequence, transfer } from "./transfer.mjs";

export const title = "Relay: the bus beside a bare forwarder";

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds, seconds }) {
  const one = await throughput(1, { rounds, seconds, bar: 0.5, key: "rate", unit: "messages/s, one subscriber" });
  const ten = await throughput(10, { rounds, seconds, bar: 0.85, key: "deliveries", unit: "deliveries/s, ten subscribers" });
  const direct = await generator(seconds);
  const fastest = Math.max(one.forwarder, one.bus);
  return [
    one.row,
    ten.row,
    await latency(rounds),
    {
      figure: "generator alone, beside the fastest relay",
      ours: perSecond(direct),
      beside: perSecond(fastest),
      ...atLeast(2, direct / fastest),
    },
  ];
}

async function throughput(subscribers, { rounds, seconds, bar, key, unit }) {
  const bus = await startBus();
  const forwarder = await startForwarder(subscribers);
  try {
    const probe = Math.round(100_000 / subscribers);
    const busLoad = await calibrate(bus, { subscribers, seconds, probe });
    const forwarderLoad = await calibrate(forwarder, { subscribers, seconds, probe });
    const result = await pairs(rounds, () => transfer(bus, busLoad), () => transfer(forwarder, forwarderLoad));
    const { ours, theirs, ratio, ratios } = result.of(key);
    const lost = result.lost(0) + result.lost(1);
    console.log(`  ${unit}: ${perSecond(ours)} of ${perSecond(theirs)}, pair by pair ${ratios.map(short).join(" ")}, lost ${lost}`);
    for (const side of [0, 1]) console.log(`    cores used: ${cores(result.runs.map((pair) => pair[side]), [bus, forwarder][side].name)}`);
    const held = atLeast(bar, ratio);
    return {
      row: {
        figure: unit,
        ours: perSecond(ours) + (busLoad.pace > 0 ? " (paced)" : ""),
        beside: perSecond(theirs) + (forwarderLoad.pace > 0 ? " (paced)" : ""),
        ...held,
        pass: held.pass && lost === 0,
        detail: { ratios, lost, runs: result.runs },
      },
      bus: ours,
      forwarder: theirs,
    };
  } finally {
    await Promise.all([bus.stop(), forwarder.stop()]);
  }
}

function cores(runs, name) {
  const of = (key) => short(median(runs.map((run) => run.cores[key])));
  return `${name} ${of("target")}, generator ${of("generator")}, subscribers ${of("sink")}`;
}

async function latency(rounds) {
  const bus = await startBus();
  const forwarder = await startForwarder(1);
  const measure = async (target) => {
    const messages = 2_000;
    const [prefix] = await target.subscribe(1);
    const result = await pingpong({ to: target.input, from: target.output, prefix, count: messages, first: takeSequence(4 * messages) });
    await target.end([prefix]);
    return result;
  };
  try {
    await measure(bus);
    await measure(forwarder);
    // Short and many: one disturbance of the machine spoils a whole run's p99.
    const result = await pairs(5 * rounds, () => measure(bus), () => measure(forwarder));
    const p99 = result.of("p99");
    const p50 = result.of("p50");
    console.log(`  median latency ${count(p50.ours)} µs of ${count(p50.theirs)} µs; p99 pair by pair ${p99.ratios.map(short).join(" ")}`);
    return {
      figure: "p99 latency, one message in flight",
      ours: `${count(p99.ours)} µs`,
      beside: `${count(p99.theirs)} µs`,
      ...atMost(1.3, p99.ratio),
      detail: { p50, p99 },
    };
  } finally {
    await Promise.all([bus.stop(), forwarder.stop()]);
  }
}

/** The generator straight into a subscriber, in messages per second. */
async function generator(seconds) {
  const [port] = await freePorts(1);
  const endpoint = `tcp://127.0.0.1:${port}`;
  const messages = Math.round(500_000 * seconds);
  const first = takeSequence(messages);
  const sink = await drain({ from: endpoint, prefixes: ["stix2/"], count: messages, first, bind: true });
  await blast({ to: endpoint, count: messages, first });
  const got = await sink.result();
  if (got.lost > 0) throw new Error(`the generator itself lost ${got.lost}`);
  return got.received / got.seconds;
}
