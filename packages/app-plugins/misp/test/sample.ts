import { decode } from "../src/decode/decode.ts";
import type { AttributeMessage, MispMessage } from "../src/decode/message.ts";
import { filterOf } from "../src/filter/filter.ts";
import type { Filter } from "../src/filter/filter.ts";
import type { FilterEntry } from "../src/filter/options.ts";
import type { MappingOptions } from "../src/map/options.ts";
import type { Policy } from "../src/relay/relay.ts";
import type { Known, Sent } from "../src/state/sent.ts";

export const uuid = "59b8114b-1c80-4149-be3a-03e9c0a83832";
export const creator = "55f6ea5e-2c60-40e5-964f-47a8950d210f";
/** 2024-09-16T18:34:43Z */
export const time = 1_726_511_683;

type Fields = Readonly<Record<string, unknown>>;

/** What MISP writes, as JSON values; `undefined` leaves a key out. */
export function written(attribute: Fields = {}, message: Fields = {}): Record<string, unknown> {
  return {
    Attribute: {
      id: "164363", event_id: "625", object_id: "0", object_relation: null, category: "Network activity", type: "ip-dst", value1: "198.51.100.7", value2: "",
      to_ids: true, uuid, timestamp: String(time), distribution: "5", sharing_group_id: "0", comment: "", deleted: false,
      disable_correlation: false, first_seen: null, last_seen: null, value: "198.51.100.7", Sighting: [], ...attribute,
    },
    Event: {
      id: "625", date: "2024-09-16", info: "test", uuid: "59b8114b-1c80-4149-be3a-03e9c0a83800", published: false, analysis: "0", threat_level_id: "4",
      org_id: "1", orgc_id: "2", distribution: "1", sharing_group_id: "0", Orgc: { id: "2", uuid: creator, name: "CIRCL" },
    },
    action: "add",
    ...message,
  };
}

export function bytes(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

export function frame(value: unknown): string {
  return `misp_json_attribute ${JSON.stringify(value)}`;
}

/** Of any topic, written and read again. */
export function read(message: unknown): MispMessage {
  const decoded = decode(bytes(message));
  if (!decoded.ok) throw new Error(`refused: ${decoded.reason}`);
  return decoded.message;
}

/** An attribute's message, written and read again. */
export function given(attribute: Fields = {}, message: Fields = {}): AttributeMessage {
  const decoded = read(written(attribute, message));
  if (decoded.kind !== "attribute") throw new Error(decoded.kind);
  return decoded;
}

export const point: MappingOptions = { profile: "point", compound: "and", rule_topics: false, local_tags: false };
export const exact: MappingOptions = { ...point, profile: "misp-stix" };

/** A test's size, times `THREATBUS_TEST_SCALE`. */
export function scaled(runs: number): number {
  return Math.ceil(runs * Number(process.env["THREATBUS_TEST_SCALE"] ?? 1));
}

/** What is remembered, for tests of what a message means. */
export function knowing(sent: Readonly<Record<string, Sent>> = {}, complete = false): Known {
  return { get: (id) => sent[id], ofEvent: (event) => Object.keys(sent).filter((id) => sent[id]?.eventId === event), complete };
}

export function filtering(...entries: readonly Partial<FilterEntry>[]): Filter {
  return filterOf({ filter: entries.map(entryOf), exclude: [] });
}

export function excluding(...entries: readonly Partial<FilterEntry>[]): Filter {
  return filterOf({ filter: [], exclude: entries.map(entryOf) });
}

export function policy(more: Partial<Policy> = {}): Policy {
  return { passes: filtering(), mapping: point, published_only: false, ...more };
}

function entryOf(entry: Partial<FilterEntry>): FilterEntry {
  return { orgs: [], types: [], tags: [], categories: [], ...entry };
}
