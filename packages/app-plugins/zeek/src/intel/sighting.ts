import { randomUUID } from "node:crypto";
import type { Identifier, Sighting, Timestamp } from "stix2-ts-types";
import { printSpan, stixTime } from "../wire/time.ts";
import { readable, type Value } from "../wire/value.ts";

/** What the first Threat Bus wrote for an indicator it did not know. */
const unknownIndicator = "note--00000000-0000-4000-8000-000000000000";
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const stixForm = /^[a-z0-9]+(?:-+[a-z0-9]+)*--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const longestReference = 1_024;

export type ZeekSighting = Sighting & {
  readonly x_threatbus_sighting_context: Readonly<Record<string, Plain>>;
  readonly x_threatbus_source: "Zeek";
  readonly x_threatbus_indicator_value?: string;
};

/** What JSON can hold. */
export type Plain = null | boolean | number | string | readonly Plain[] | { readonly [key: string]: Plain };

/**
 * A sighting out of the arguments of Zeek's event: when, which indicator, and a table of what the script tells about it. The indicator is named by its STIX id, by
 * its UUID alone, or by the value that was seen: then it is looked up among what this Zeek was told.
 * @param now milliseconds @param holderOf the id of the indicator behind a value @returns one word when they are no sighting
 */
export function sightingOf(args: readonly Value[], now: number, holderOf: (value: string) => string | undefined): ZeekSighting | "arguments" | "id" {
  const [seen, reference, context] = args;
  if (args.length !== 3 || seen?.type !== "timestamp" || reference?.type !== "string" || context?.type !== "table") return "arguments";
  const named = readable(reference.value);
  if (named === "" || named.length > longestReference) return "id";
  const id = indicatorId(named) ?? holderOf(named);
  const time = new Date(now).toISOString() as Timestamp;
  return {
    type: "sighting",
    spec_version: "2.1",
    id: `sighting--${randomUUID()}`,
    created: time,
    modified: time,
    last_seen: stixTime(seen.value) as Timestamp,
    sighting_of_ref: (id ?? unknownIndicator) as Identifier,
    x_threatbus_sighting_context: Object.fromEntries(context.value.map(([key, value]) => [keyText(key), plain(value)]).filter(([key]) => key !== "__proto__")) as Record<string, Plain>,
    x_threatbus_source: "Zeek",
    ...(id === undefined && { x_threatbus_indicator_value: named }),
  };
}

function indicatorId(text: string): string | undefined {
  if (stixForm.test(text)) return text.toLowerCase();
  return uuidForm.test(text) ? `indicator--${text.toLowerCase()}` : undefined;
}

/** A value as JSON has it. Whole numbers that a double cannot hold are text. */
export function plain(value: Value): Plain {
  switch (value.type) {
    case "none":
      return null;
    case "count":
    case "integer":
      return value.value >= Number.MIN_SAFE_INTEGER && value.value <= Number.MAX_SAFE_INTEGER ? Number(value.value) : String(value.value);
    case "real":
      return Number.isFinite(value.value) ? value.value : String(value.value);
    case "string":
      return readable(value.value);
    case "port":
      return `${value.value}/${value.protocol}`;
    case "timestamp":
      return stixTime(value.value);
    case "timespan":
      return printSpan(value.value);
    case "set":
    case "vector":
      return value.value.map(plain);
    case "table":
      return Object.fromEntries(value.value.map(([key, item]) => [keyText(key), plain(item)] as const).filter(([key]) => key !== "__proto__"));
    default:
      return value.value;
  }
}

/** Characters of the longest key, and what stands for one that is no scalar: text within text within text would double at every level. */
const longestKey = 1_000, compound = "…";

function keyText(key: Value): string {
  return (key.type === "vector" ? key.value.map(scalarText).join(",") : scalarText(key)).slice(0, longestKey);
}

function scalarText(value: Value): string {
  if (value.type === "set" || value.type === "vector" || value.type === "table") return compound;
  const text = plain(value);
  return typeof text === "string" ? text : JSON.stringify(text);
}
