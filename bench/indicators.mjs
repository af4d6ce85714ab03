// The indicators that the generator in load/ sends, for measurements that do without it.
import { readFileSync } from "node:fs";

/** One template a line; a mark (@) takes a digit of the sequence number, within one JSON string from the right. */
export const templatesPath = new URL("load/indicators.txt", import.meta.url).pathname;
const digits = 12;

/**
 * @param {number} first sequence number of the first indicator
 * @param {number} count
 * @param {string} [path] templates of other messages
 * @returns {Buffer[]} JSON, each with an id and a pattern of its own
 */
export function indicators(first, count, path = templatesPath) {
  const templates = readFileSync(path, "utf8").trimEnd().split("\n");
  return Array.from({ length: count }, (_, i) => Buffer.from(fill(templates[(first + i) % templates.length], first + i)));
}

/** Where the sequence number stands in every one of them: at the end of the id. */
const place = readFileSync(templatesPath, "latin1").indexOf("@");

/** @param {Buffer} payload JSON of an indicator from here */
export function idOf(payload) {
  return payload.latin1Slice(place + digits - "indicator--".length - 36, place + digits);
}

/** @param {Uint8Array} payload JSON of an indicator from here */
export function sequenceOf(payload) {
  let sequence = 0;
  for (let i = place; i < place + digits; i++) sequence = 10 * sequence + payload[i] - 48;
  return sequence;
}

function fill(template, sequence) {
  const number = String(sequence).padStart(digits, "0");
  return template.replace(/"(?:[^"\\]|\\.)*"/g, (text) => {
    if (!text.includes("@")) return text;
    let at = digits - (text.split("@").length - 1);
    return text.replace(/@/g, () => number[at++]);
  });
}
