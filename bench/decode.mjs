// Decoding and checking an indicator, its pattern included, beside JSON.parse of the same bytes.
import { decodeMessage } from "@threatbus/core";
import { atLeast, median, perSecond, short } from "./figures.mjs";
import { indicators } from "./indicators.mjs";

export const title = "Decode: an indicator checked, pattern included, beside JSON.parse alone";

const messages = 20_000;
const warmUp = 5;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  const times = { check: [], parse: [] };
  const ratios = [];
  let first = 0;
  for (let round = 0; round < warmUp + 5 * rounds; round++) {
    // New messages each round: a cache of patterns or ids would find nothing in it. Who is first alternates.
    const batch = indicators(first, messages);
    first += messages;
    const order = round % 2 === 0 ? ["check", "parse"] : ["parse", "check"];
    const took = {};
    for (const name of order) took[name] = time(name === "check" ? check : parse, batch);
    if (round < warmUp) continue;
    times.check.push(took.check);
    times.parse.push(took.parse);
    ratios.push(took.parse / took.check);
  }
  const [check_, parse_] = [median(times.check), median(times.parse)];
  console.log(`  ${short((check_ / messages) * 1e6)} µs a message, JSON.parse ${short((parse_ / messages) * 1e6)} µs`);
  return [
    {
      figure: "indicators decoded and checked, beside JSON.parse",
      ours: perSecond(messages / check_),
      beside: perSecond(messages / parse_),
      ...atLeast(0.5, median(ratios)),
      detail: { ratios },
    },
  ];
}

const check = (bytes) => decodeMessage("stix2/indicator", bytes).body.id.length;
const parse = (bytes) => JSON.parse(bytes.toString()).id.length;

/** Seconds for a batch. The sum keeps the work from being optimised away. */
function time(decode, batch) {
  let sum = 0;
  const start = performance.now();
  for (const bytes of batch) sum += decode(bytes);
  const seconds = (performance.now() - start) / 1000;
  if (sum < batch.length) throw new Error("nothing decoded");
  return seconds;
}
