/** What comes out of a program that looks for events, and which observables are in it. */
import type { Hit, JsonObject } from "../../engine.ts";
import { valueAt } from "../../field-tree.ts";
import { presets } from "../../fields.ts";
import type { Matcher } from "../../matcher.ts";
import { presetOf } from "../../matcher.ts";
import type { TenzirOptions } from "./options.ts";

export interface Result {
  readonly schema: string;
  readonly event: JsonObject;
  /** Of the event, without zone, so that texts compare as times do. Empty if none is known. */
  readonly at: string;
}

/** Reads a line of a program that ends with {@link resultOperators}. Undefined for what is no result. */
export function resultOf(line: string): Result | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  const { schema, event, at } = (parsed ?? {}) as Partial<Record<keyof Result, unknown>>;
  if (typeof event !== "object" || event === null || Array.isArray(event)) return undefined;
  return { schema: typeof schema === "string" ? schema : "", event: event as JsonObject, at: typeof at === "string" ? at.replace(/Z$/, "") : "" };
}

/** The last operators of a program whose events are records of `schema` and `event`. @param order newest first, which gives nothing before the end */
export function resultOperators(times: readonly string[], order: boolean): string[] {
  if (!order) return ["select schema, event", "write_ndjson"];
  const at = times.map((name) => `time(string(event[${JSON.stringify(name)}]?))`).join(" else ");
  return [`select schema, event, at=${at}`, "sort -at", "write_ndjson"];
}

/** One hit for each observable in the event. */
export function hitsIn({ schema, event }: Result, matcher: Matcher, { presets: names }: TenzirOptions): Hit[] {
  const preset = presetOf(event, names);
  const time = preset === undefined ? undefined : valueAt(event, presets[preset].time);
  return matcher.match(event).map(({ observable, field }) => ({
    observable,
    event,
    field,
    ...(schema !== "" && { schema }),
    ...(typeof time === "string" && { time }),
  }));
}
