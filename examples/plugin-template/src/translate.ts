import { randomUUID } from "node:crypto";
import { parseJson, pointIndicators } from "@threatbus/core";
import type { Body } from "@threatbus/core";
import type { Indicator, Sighting } from "stix2-ts-types";

/** One change of what tools watch for. */
export interface Watch {
  readonly value: string;
  readonly indicator: Indicator;
  readonly removed: boolean;
}

/** What a tool can do with a message: one change per value that the indicator names; none if it is a pattern of another kind. */
export function watchesOf(body: Body): readonly Watch[] {
  if (typeof body === "string" || body.type !== "indicator") return [];
  const removed = body["x_threatbus_update"] === "REMOVE" || body.revoked === true;
  return (pointIndicators(body.pattern) ?? []).map(({ value }) => ({ value, indicator: body, removed }));
}

/** A line to a tool. JSON keeps whatever an indicator holds inside its line. */
export function lineFor(value: string, removed: boolean): string {
  return `${JSON.stringify(removed ? { drop: value } : { watch: value })}\n`;
}

/** The value a line of a tool reports as seen. @throws ThreatbusError `MESSAGE_REFUSED` if it is not JSON */
export function seenIn(line: Uint8Array): string | undefined {
  const said = parseJson(line);
  if (typeof said !== "object" || said === null || !("seen" in said)) return undefined;
  return typeof said.seen === "string" ? said.seen : undefined;
}

/** @param at milliseconds since 1970 */
export function sightingOf(indicator: Indicator, value: string, at: number): Sighting {
  const time = new Date(at).toISOString() as Sighting["created"];
  return {
    type: "sighting",
    spec_version: "2.1",
    id: `sighting--${randomUUID()}`,
    created: time,
    modified: time,
    last_seen: time,
    sighting_of_ref: indicator.id,
    x_threatbus_indicator: indicator,
    x_threatbus_sighting_context: { seen: value },
    x_threatbus_source: "template",
  };
}
