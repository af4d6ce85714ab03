/** Sightings as the bus carries them (STIX 2.1 §5.2, and the properties of Threat Bus). */
import { createHash } from "node:crypto";
import type { BusSighting, Indicator, Timestamp } from "@threatbus/zmq-client";
import type { Hit, JsonObject } from "./engine.ts";
import { eventTime } from "./event-time.ts";
import { presentable, wellFormed } from "./presentable.ts";

export type MatchType = "LIVE" | "RETRO";

/** A hit on the way to becoming a sighting: checked, and the same for the same event however often it is found. */
export interface Finding {
  readonly matchType: MatchType;
  readonly hit: Hit;
  /** Fit for the bus. */
  readonly event: JsonObject;
  readonly time: Timestamp;
  /** Of the event's content. */
  readonly digest: string;
}

/** Where and how it was found, told in the sighting as `x_threatbus_match`. */
export interface Match {
  readonly value: string;
  readonly kind: string;
  readonly field?: string;
  readonly schema?: string;
  /** There may be more: the search ended at its limit. */
  readonly truncated?: true;
}

export interface Report extends BusSighting {
  readonly x_threatbus_match: Match;
}

/** Undefined if the event has no time, so that nothing could be said of when it was seen. */
export function findingOf(hit: Hit, matchType: MatchType): Finding | undefined {
  const time = eventTime(hit.time) ?? eventTime(hit.event["ts"]) ?? eventTime(hit.event["timestamp"]);
  if (time === undefined) return undefined;
  const event = presentable(hit.event);
  return { matchType, hit, event, time, digest: createHash("sha256").update(JSON.stringify(event)).digest("base64url") };
}

/** For one indicator. `now` in milliseconds since 1970. The same finding gives the same id at any time, live or retro. */
export function sightingOf(finding: Finding, indicator: Indicator, source: string, now: Timestamp, truncated: boolean = false): Report {
  const { matchType, hit, event, time, digest } = finding;
  const { observable, field, schema } = hit;
  return {
    type: "sighting",
    spec_version: "2.1",
    id: `sighting--${uuid5(`${indicator.id} ${observable.kind}:${observable.value} ${digest}`)}`,
    created: now,
    modified: now,
    last_seen: time,
    sighting_of_ref: indicator.id,
    x_threatbus_indicator: indicator,
    ...(matchType === "LIVE" && { x_threatbus_indicator_value: observable.value }),
    x_threatbus_match_type: matchType,
    x_threatbus_match: {
      value: observable.value,
      kind: observable.kind,
      ...(field !== undefined && { field: wellFormed(field.slice(0, 256)) }),
      ...(schema !== undefined && { schema: wellFormed(schema.slice(0, 256)) }),
      ...(truncated && { truncated }),
    },
    x_threatbus_source: source,
    x_threatbus_sighting_context: event,
  };
}

/** Of this program's sightings (RFC 9562 §5.5): a name space of its own. */
const nameSpace = Buffer.from("5bb1c2b1b3a14bd0a7d0a4b8a8a3d9c4", "hex");

/** A name-based identifier (RFC 9562 §5.5): the same for the same name. */
export function uuid5(name: string): string {
  const bytes = createHash("sha1").update(nameSpace).update(name).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
