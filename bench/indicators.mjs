// The indicators that the generator in load/ sends, for measurements that need no network.
import { readFileSync } from "node:fs";

/** One template a line; a mark (@) takes a digit of the sequence number, within one JSON string from the right. */
export const templatesPath = new URL("load/indicators.txt", import.meta.url).pathname;
const digits = 12;

/**
 * @param {number} first sequence number of the first indicator
 * @param {number} count
 * @returns {Buffer[]} JSON, each with an id and a pattern of its own
 */
export function indicators(first, count) {
  const templates = readFileSync(templatesPath, "utf8").trimEnd().split("\n");
  return Array.from({ length: count }, (_, i) => Buffer.from(fill(templates[(first + i) % templates.length], first + i)));
}

function fill(template, sequence) {
  const number = String(sequence).padStart(digits, "0");
  return template.replace(/"[^"]*"/g, (text) => {
    if (!text.includes("@")) return text;
    let at = digits - (text.split("@").length - 1);
    return text.replace(/@/g, () => number[at++]);
  });
}
