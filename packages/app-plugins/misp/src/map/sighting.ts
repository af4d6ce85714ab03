import type { Sighting } from "stix2-ts-types";
import type { SightingMessage } from "../decode/message.ts";
import { indicatorId, referenceOf } from "./indicator.ts";
import { timestampOf } from "./time.ts";

/**
 * A sighting someone reported to MISP, for the bus. Undefined for what STIX has no sighting for: false positives, expirations, withdrawals, and
 * messages of older MISPs that do not name the attribute's UUID.
 */
export function sightingOf({ action, sighting }: SightingMessage): (Sighting & { readonly x_threatbus_source: string }) | undefined {
  const { uuid, type, timestamp, source, attributeUuid, organisation } = sighting;
  if (action !== "add" || type !== "sighting" || attributeUuid === "") return undefined;
  const time = timestampOf(timestamp);
  const reporter = organisation.uuid === "" ? undefined : (`identity--${organisation.uuid}` as const);
  return {
    type: "sighting",
    spec_version: "2.1",
    id: `sighting--${uuid}`,
    ...(reporter !== undefined && { created_by_ref: reporter }),
    created: time,
    modified: time,
    ...(source !== "" && { description: source }),
    first_seen: time,
    last_seen: time,
    count: 1,
    sighting_of_ref: indicatorId(attributeUuid),
    ...(reporter !== undefined && { where_sighted_refs: [reporter] }),
    external_references: [referenceOf(attributeUuid)],
    x_threatbus_source: "MISP",
  };
}
