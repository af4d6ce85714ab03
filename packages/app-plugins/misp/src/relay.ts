import type { Indicator } from "stix2-ts-types";
import type { MispAttribute, MispAttributeMessage } from "./decode.ts";
import type { Filter } from "./filter.ts";
import { indicatorId, indicatorOf, timestampOf } from "./map.ts";
import type { Sent } from "./state.ts";

export type SkipReason =
  /** Not for detection, and never was as far as is known. */
  | "to_ids"
  /** The filter keeps it back. */
  | "filter"
  /** No mapping for its type. */
  | "type"
  /** Its value is none of its type. */
  | "value"
  /** A newer message of the attribute came before. */
  | "stale"
  /** A removal of what is not on the bus. */
  | "absent";

export type Update = "EDIT" | "REMOVE";

/** What an indicator is to receivers: new without `x_threatbus_update`, else a new version, or to be forgotten. */
export type UpdatedIndicator = Indicator & { readonly x_threatbus_update?: Update };

export type Decision =
  | { readonly outcome: "mapped"; readonly indicators: readonly UpdatedIndicator[]; readonly sent: Sent }
  | { readonly outcome: "skipped"; readonly reason: SkipReason };

/**
 * What one attribute message means for the bus, given what was sent for that attribute before. An attribute that is no longer
 * for detection, deleted, kept back by the filter or without mapping is withdrawn with the pattern that was sent; one with
 * another value is withdrawn and sent anew.
 */
export function relay(message: MispAttributeMessage, before: Sent | undefined, passes: Filter): Decision {
  const { attribute, event } = message;
  if (before !== undefined && attribute.timestamp < before.timestamp) return skipped("stale");
  const withdrawn = withdrawal(message);
  if (withdrawn !== undefined) {
    if (before === undefined) return withdrawUnknown(message, withdrawn, passes);
    return before.live ? withdraw(attribute, before) : skipped("absent");
  }
  const mapped = passes(message) ? indicatorOf(attribute, event) : "filter";
  if (typeof mapped !== "string") return publish(attribute, mapped, before);
  return before?.live === true ? withdraw(attribute, before) : skipped(mapped);
}

/** Why an attribute is not for detection, if so. */
function withdrawal({ action, attribute }: MispAttributeMessage): "deleted" | "to_ids" | undefined {
  if (action === "delete" || action === "soft-delete" || attribute.deleted) return "deleted";
  return attribute.toIds ? undefined : "to_ids";
}

function publish(attribute: MispAttribute, indicator: Indicator, before: Sent | undefined): Decision {
  const sent = sentOf(attribute, indicator);
  if (before?.live !== true) return { outcome: "mapped", indicators: [indicator], sent };
  if (before.pattern === indicator.pattern) return { outcome: "mapped", indicators: [{ ...indicator, x_threatbus_update: "EDIT" }], sent };
  return { outcome: "mapped", indicators: [removal(attribute.uuid, before, before.timestamp), indicator], sent };
}

function withdraw(attribute: MispAttribute, before: Sent): Decision {
  return {
    outcome: "mapped",
    indicators: [removal(attribute.uuid, before, attribute.timestamp)],
    sent: { ...before, live: false, timestamp: attribute.timestamp },
  };
}

/** A removal of an attribute not remembered: it may have been sent before this process started. */
function withdrawUnknown(message: MispAttributeMessage, reason: "deleted" | "to_ids", passes: Filter): Decision {
  const { action, attribute, event } = message;
  if (!attribute.toIds && (reason === "deleted" || action === "add")) return skipped("to_ids");
  const mapped = passes(message) ? indicatorOf(attribute, event) : "filter";
  return typeof mapped === "string" ? skipped(mapped) : withdraw(attribute, sentOf(attribute, mapped));
}

function sentOf(attribute: MispAttribute, { pattern, created_by_ref, object_marking_refs }: Indicator): Sent {
  return {
    pattern,
    live: true,
    timestamp: attribute.timestamp,
    eventId: attribute.eventId,
    ...(created_by_ref !== undefined && { creator: created_by_ref }),
    ...(object_marking_refs !== undefined && { markings: object_marking_refs }),
  };
}

/** The indicator that was sent, revoked: newer than it in any case, since a hard delete brings no time of its own. */
function removal(uuid: string, { pattern, timestamp, creator, markings }: Sent, at: number): UpdatedIndicator {
  const since = timestampOf(timestamp);
  return {
    type: "indicator",
    spec_version: "2.1",
    id: indicatorId(uuid),
    ...(creator !== undefined && { created_by_ref: creator }),
    created: since,
    modified: at > timestamp ? timestampOf(at) : timestampOf(timestamp, 1),
    revoked: true,
    pattern,
    pattern_type: "stix",
    pattern_version: "2.1",
    valid_from: since,
    external_references: [{ source_name: "misp", external_id: uuid }],
    ...(markings !== undefined && { object_marking_refs: markings }),
    x_threatbus_update: "REMOVE",
  };
}

function skipped(reason: SkipReason): Decision {
  return { outcome: "skipped", reason };
}
