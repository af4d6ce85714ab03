/** What VAST prints: one JSON object per line. */
import { contains, parseAddress, parseBlock, printAddress } from "../../address.ts";
import type { Hit, JsonObject } from "../../engine.ts";
import { observableOf } from "../../observable.ts";
import type { Observable } from "../../observable.ts";

export function eventOf(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Of an event that was searched for by these: of one it is known, of several it is looked for. */
export function hitsIn(event: JsonObject, batch: readonly Observable[]): Hit[] {
  return batch.flatMap((observable) => {
    const field = fieldIn(event, observable);
    return field === undefined && batch.length > 1 ? [] : [{ observable, event, ...(field !== undefined && { field }) }];
  });
}

/** Objects and lists inside one another that are looked into. */
const deepest = 32;

/**
 * The field of an event in which an observable stands, by VAST's measure: text is compared exactly, addresses by what they are. As presets name fields:
 * `dns.answers[].rdata`. Undefined if it is in none.
 */
export function fieldIn(event: JsonObject, observable: Observable): string | undefined {
  return find(event, "", holderOf(observable), deepest);
}

function find(value: unknown, path: string, holds: (text: string) => boolean, depth: number): string | undefined {
  if (typeof value === "string") return holds(value) ? path : undefined;
  if (typeof value !== "object" || value === null || depth === 0) return undefined;
  for (const [key, inner] of Array.isArray(value) ? (value as unknown[]).map((item) => ["", item] as const) : Object.entries(value)) {
    const found = find(inner, Array.isArray(value) ? `${path}[]` : path === "" ? key : `${path}.${key}`, holds, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function holderOf({ kind, value }: Observable): (text: string) => boolean {
  const block = kind === "cidr" ? parseBlock(value) : undefined;
  if (kind !== "ip" && block === undefined) return (text) => text === value;
  return (text) => {
    const address = parseAddress(text);
    // A field may hold the block itself.
    return address === undefined ? text === value : (block === undefined ? printAddress(address) === value : contains(block, address));
  };
}

/**
 * A match: `{"indicator":{"value":…,"context":…},"type":…,"event":{…}}`, or of the older matcher `{"ts":…,"matcher":…,"ioc":…,"reference":…}`, which tells no
 * event, so that the line stands for it. Whose indicator the value is, is not read from there: a matcher may hold old ones.
 */
export function liveHitOf(line: string): Hit | undefined {
  const match = eventOf(line);
  if (match === undefined) return undefined;
  const { indicator, type, event, ioc, value } = match;
  const inner = isObject(indicator) ? indicator["value"] : undefined;
  const text = [inner, ioc, value].find((one) => typeof one === "string");
  const observable = text === undefined ? undefined : observableOf(text);
  if (observable === undefined || (inner !== undefined && !isObject(event))) return undefined;
  const whole = isObject(event) ? event : match;
  const field = isObject(event) ? fieldIn(event, observable) : undefined;
  return { observable, event: whole, ...(field !== undefined && { field }), ...(typeof type === "string" && { schema: type }) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
