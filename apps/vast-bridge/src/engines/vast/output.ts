/** What VAST prints: one JSON object per line. */
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

export function retroHitOf(line: string, observable: Observable): Hit | undefined {
  const event = eventOf(line);
  return event === undefined ? undefined : { observable, event };
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
  return { observable, event: isObject(event) ? event : match, ...(typeof type === "string" && { schema: type }) };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
