import { randomUUID } from "node:crypto";
import type { BusSighting } from "@threatbus/zmq-client";
import type { Match } from "./matcher.ts";

/** The report that an indicator was seen in an event of the past. */
export function sightingOf({ indicator, observable, event }: Match): BusSighting {
  const now = timestamp(Date.now());
  return {
    type: "sighting",
    spec_version: "2.1",
    id: `sighting--${randomUUID()}`,
    created: now,
    modified: now,
    labels: [observable.path],
    description: `${observable.value} (${observable.path.split(":")[0]}) in ${event.log}`,
    first_seen: timestamp(event.time),
    last_seen: timestamp(event.time),
    count: 1,
    sighting_of_ref: indicator.id,
    x_threatbus_sighting_context: event.line,
    x_threatbus_indicator: indicator,
    x_threatbus_match_type: "RETRO",
    x_threatbus_source: "quickstart",
  };
}

function timestamp(milliseconds: number): BusSighting["created"] {
  return new Date(milliseconds).toISOString() as BusSighting["created"];
}
