// Decoding and checking an indicator, its pattern included, beside JSON.parse of the same bytes.
import { decodeMessage } from "@threatbus/core";
import { atLeast, median, perSecond, short } from "./figures.mjs";
import { indicators } from "./indicators.mjs";

export const title = "Decode: an indicator checked, pattern included, beside JSON.parse alone";

const messages = 20_000;
const warmUp = 5;

const decoders = {
  /** Parsed and checked, as the relay needs it. */
  check: (bytes) => decodeMessage("stix2/indicator", bytes).topic.length,
  /** And its body read, which freezes it. */
  read: (bytes) => decodeMessage("stix2/indicator", bytes).body.id.length,
  parse: (bytes) => JSON.parse(bytes.toString()).id.length,
};

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  const names = Object.keys(decoders);
  const runs = [];
  let first = 0;
  for (let round = 0; round < warmUp + 5 * rounds; round++) {
    const took = {};
    // Who comes first changes from round to round.
    for (let i = 0; i < names.length; i++) {
      const name = names[(round + i) % names.length];
      // New messages each time: a cache of patterns or ids would find nothing in it.
      took[name] = time(decoders[name], indicators(first, messages));
      first += messages;
    }
    if (round >= warmUp) runs.push(took);
  }
  const perMessage = (name) => median(runs.map((took) => took[name])) / messages;
  console.log(`  ${names.map((name) => `${name} ${short(perMessage(name) * 1e6)} µs`).join(", ")} a message`);
  const row = (figure, name, held) => {
    const ratios = runs.map((took) => took.parse / took[name]);
    const beside = perSecond(1 / perMessage("parse"));
    return { figure, ours: perSecond(1 / perMessage(name)), beside, ...held(median(ratios)), detail: { ratios } };
  };
  return [
    row("indicators decoded and checked, beside JSON.parse", "check", (ratio) => atLeast(0.5, ratio)),
    row("the same, and the body read", "read", (ratio) => ({ ratio })),
  ];
}

/** Seconds for a batch. The sum keeps the work from being optimised away. */
function time(decode, batch) {
  let sum = 0;
  const start = performance.now();
  for (const bytes of batch) sum += decode(bytes);
  const seconds = (performance.now() - start) / 1000;
  if (sum < batch.length) throw new Error("nothing decoded");
  return seconds;
}
