import type { Buffer } from "node:buffer";
import { parseAddress, parseSubnet } from "./address.ts";
import { type Json, NumberText, parseZeekJson } from "./json-text.ts";
import { refuse } from "./refusal.ts";
import { parseSpan, parseTime, utc, type Zone } from "./time.ts";
import {
  type Entry, maxInt64, maxNesting, maxUint64, maxValues, minInt64, none, portProtocols, readable, type PortProtocol, type Text, type Value,
} from "./value.ts";

/** A message of Zeek's WebSocket protocol, version 1 (zeek/zeek `doc/advanced/devel/websocket-api.rst`). */
export type JsonMessage =
  | { readonly type: "ack"; readonly endpoint: string; readonly version: string }
  | { readonly type: "data-message"; readonly topic: Text; readonly value: Value }
  | { readonly type: "error"; readonly code: string; readonly context: string };

/**
 * Reads a message from Zeek. Times that name no zone are in `zone`: UTC from Zeek 8.0 on, before that the local time of its machine.
 * @throws WireRefused
 */
export function decodeJson(bytes: Buffer, zone: Zone = utc): JsonMessage {
  const root = parseZeekJson(bytes);
  if (!(root instanceof Map)) refuse("not an object");
  const members = root as ReadonlyMap<string, Json>;
  switch (members.get("type")) {
    case "ack":
      return { type: "ack", endpoint: textOf(members.get("endpoint")), version: textOf(members.get("version")) };
    case "error":
      // Zeek 7.2.0 and 7.2.1 call it `message` (zeek#4594).
      return { type: "error", code: textOf(members.get("code")), context: textOf(members.get("context") ?? members.get("message")) };
    case "data-message": {
      const topic = members.get("topic");
      if (!isText(topic)) refuse("a message without topic");
      return { type: "data-message", topic, value: new ValueDecoder(zone).read(members, 0) };
    }
    default:
      return refuse("neither ack, error nor data-message");
  }
}

function isText(json: Json | undefined): json is Text {
  return typeof json === "string" || json instanceof Uint8Array;
}

/** For people to read: what is missing is empty. */
function textOf(json: Json | undefined): string {
  return isText(json) ? readable(json) : "";
}

class ValueDecoder {
  readonly #zone: Zone;
  #values = 0;

  constructor(zone: Zone) {
    this.#zone = zone;
  }

  read(json: Json | undefined, depth: number): Value {
    if (++this.#values > maxValues) refuse(`more than ${maxValues} values`);
    if (depth > maxNesting) refuse(`values nested deeper than ${maxNesting}`);
    if (!(json instanceof Map)) refuse("a value is no object");
    const members = json as ReadonlyMap<string, Json>;
    const type = members.get("@data-type");
    const data = members.get("data");
    switch (type) {
      case "none":
        return none;
      case "boolean":
        return typeof data === "boolean" ? { type, value: data } : refuse("a boolean is none");
      case "count":
        return { type, value: integer(data, 0n, maxUint64) };
      case "integer":
        return { type, value: integer(data, minInt64, maxInt64) };
      case "real":
        return data instanceof NumberText ? { type, value: realOf(data.text) } : refuse("a real is no number");
      case "string":
        return isText(data) ? { type, value: data } : refuse("a string is none");
      case "enum-value":
        return typeof data === "string" ? { type, value: data } : refuse("an enum is no string");
      case "address":
        return typeof data === "string" && parseAddress(data) !== undefined ? { type, value: data } : refuse("an address is none");
      case "subnet":
        return typeof data === "string" && parseSubnet(data) !== undefined ? { type, value: data } : refuse("a subnet is none");
      case "port":
        return portOf(data);
      case "timestamp":
        return { type, value: (typeof data === "string" ? parseTime(data, this.#zone) : undefined) ?? refuse("a timestamp is none") };
      case "timespan":
        return { type, value: (typeof data === "string" ? parseSpan(data) : undefined) ?? refuse("a timespan is none") };
      case "set":
      case "vector":
        if (!Array.isArray(data)) refuse(`a ${type} is no array`);
        return { type, value: (data as readonly Json[]).map((item) => this.read(item, depth + 1)) };
      case "table":
        if (!Array.isArray(data)) refuse("a table is no array");
        return { type, value: (data as readonly Json[]).map((entry) => this.#entry(entry, depth)) };
      default:
        return refuse("an unknown type of value");
    }
  }

  #entry(entry: Json, depth: number): Entry {
    if (!(entry instanceof Map)) refuse("an entry of a table is no object");
    const members = entry as ReadonlyMap<string, Json>;
    return [this.read(members.get("key"), depth + 1), this.read(members.get("value"), depth + 1)];
  }
}

function integer(data: Json | undefined, least: bigint, most: bigint): bigint {
  if (!(data instanceof NumberText) || !/^-?\d{1,20}$/.test(data.text)) refuse("a whole number is none");
  const value = BigInt(data.text);
  return value < least || value > most ? refuse("a whole number has more than 64 bits") : value;
}

function realOf(text: string): number {
  if (text === "nan") return NaN;
  if (text.endsWith("inf")) return text.startsWith("-") ? -Infinity : Infinity;
  return Number(text);
}

function portOf(data: Json | undefined): Value {
  const [, number, protocol] = (typeof data === "string" ? /^(\d{1,5})\/(tcp|udp|icmp|\?)$/.exec(data) : null) ?? refuse("a port is none");
  const value = Number(number);
  if (value > 65_535 || !portProtocols.includes(protocol as PortProtocol)) refuse("a port is none");
  return { type: "port", value, protocol: protocol as PortProtocol };
}
