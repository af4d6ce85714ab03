import { Buffer } from "node:buffer";
import { decodeMessage, isThreatbusError, maxPayloadBytes, parseJson, reasonOf, type Message } from "@threatbus/core";

/** One thing to publish: checked, or why it cannot be. */
export interface Item {
  /** `rules/a.yml`, `list.json[3]`, `feed.ndjson:12` */
  readonly where: string;
  readonly message?: Message;
  readonly refused?: string;
}

/** Everything in one file: an object, a list, a bundle, one of these per line, a Sigma rule or YARA source. The name's ending decides, else the content. */
export function* itemsOf(name: string, bytes: Buffer): Generator<Item> {
  if (/\.ya?ml$/i.test(name)) yield item(name, "sigma/rule", bytes);
  else if (/\.yara?$/i.test(name)) yield item(name, "yara/rule", bytes);
  else if (/\.(?:ndjson|jsonl)$/i.test(name)) yield* lines(name, bytes);
  else {
    const content = json(bytes);
    if ("value" in content) yield* spread(name, content.value, bytes);
    else if (/^\s*[[{"]/.test(bytes.toString("latin1", 0, 100))) yield* bytes.includes(0x0a) ? lines(name, bytes) : [{ where: name, refused: content.refused }];
    else yield item(name, /^\s*(?:title|detection|id|name)\s*:/m.test(bytes.toString("utf8", 0, 65_536)) ? "sigma/rule" : "yara/rule", bytes);
  }
}

function* lines(name: string, bytes: Buffer): Generator<Item> {
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    const line = bytes.subarray(start, end);
    start = end + 1;
    number++;
    if (line.toString("latin1").trim() === "") continue;
    const content = json(line);
    if ("value" in content) yield* spread(`${name}:${number}`, content.value, line);
    else yield { where: `${name}:${number}`, refused: content.refused };
  }
}

/** A list or bundle is one item per object; a single object keeps its bytes. */
function* spread(where: string, value: unknown, bytes: Buffer): Generator<Item> {
  const bundle = isObject(value) && value["type"] === "bundle";
  const list = bundle ? (value["objects"] ?? []) : value;
  if (!Array.isArray(list)) yield bundle ? { where, refused: "objects of a bundle is a list" } : item(where, topicOf(value), bytes);
  else for (const [at, one] of list.entries()) yield element(`${where}[${at}]`, one);
}

function element(where: string, value: unknown): Item {
  let text: string;
  try {
    text = JSON.stringify(value);
  } catch {
    // Nested deeper than the stack reaches.
    return { where, refused: "depth: nested too deep" };
  }
  return item(where, topicOf(value), Buffer.from(text));
}

function item(where: string, topic: string, payload: Buffer): Item {
  try {
    return { where, message: decodeMessage(topic, payload) };
  } catch (error) {
    return { where, refused: wordsOf(error) };
  }
}

function topicOf(value: unknown): string {
  return isObject(value) && typeof value["type"] === "string" ? `stix2/${value["type"]}` : "stix2/object";
}

function json(bytes: Buffer): { readonly value: unknown } | { readonly refused: string } {
  try {
    // The limit is one message's; what a larger file holds is checked object by object.
    return { value: bytes.length > maxPayloadBytes ? (JSON.parse(bytes.toString()) as unknown) : parseJson(bytes) };
  } catch (error) {
    return { refused: wordsOf(error) };
  }
}

function wordsOf(error: unknown): string {
  return isThreatbusError(error) && error.reason !== undefined ? `${error.reason}: ${reasonOf(error)}` : reasonOf(error);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
