import type { Indicator } from "stix2-ts-types";
import type { AttributeMessage, EventMessage, MispAttribute, PublishedMessage } from "../decode/message.ts";
import type { Filter } from "../filter/filter.ts";
import { indicatorId, indicatorsOf, referenceOf } from "../map/indicator.ts";
import type { Mapped, Rule } from "../map/indicator.ts";
import type { MappingOptions } from "../map/options.ts";
import { timestampOf } from "../map/time.ts";
import type { Known, Sent } from "../state/sent.ts";
import { fingerprintOf } from "./fingerprint.ts";

export type SkipReason =
  /** Not for detection, and never was as far as is known. */
  | "to_ids"
  /** The filter keeps it back. */
  | "filter"
  /** Its event is not published. */
  | "published"
  /** No mapping for its type. */
  | "type"
  /** Its value is none of its type. */
  | "value"
  /** A newer message of the attribute came before. */
  | "stale"
  /** It says what the bus knows already. */
  | "unchanged"
  /** A removal of what is not on the bus. */
  | "absent";

export type Update = "EDIT" | "REMOVE";

/** What an indicator is to receivers: new without `x_threatbus_update`, else a new version, or to be forgotten. */
export type UpdatedIndicator = Indicator & { readonly x_threatbus_update?: Update };

/** What a message means for one attribute. `sent` is to be remembered once the indicators were published. */
export type Decision =
  | { readonly outcome: "mapped"; readonly uuid: string; readonly indicators: readonly UpdatedIndicator[]; readonly rule?: Rule; readonly sent: Sent }
  | { readonly outcome: "skipped"; readonly uuid: string; readonly reason: SkipReason; readonly sent?: Sent };

export interface Policy {
  readonly passes: Filter;
  readonly mapping: MappingOptions;
  /** Attributes of unpublished events are not sent. */
  readonly published_only: boolean;
}

/**
 * What a message means for the bus, given what was sent before: an attribute message for one attribute, a published event for all of its
 * attributes and for those that are no longer among them, an event's deletion for all that are known. Reads `known` and changes nothing;
 * take one decision, remember it, then take the next.
 */
export function decide(message: AttributeMessage | PublishedMessage | EventMessage, known: Known, policy: Policy): Iterable<Decision> {
  switch (message.kind) {
    case "attribute":
      return [decideAttribute(message, known.get(message.attribute.uuid), known.complete, policy)];
    case "event":
      return message.action === "delete" ? withdrawEvent(message.event.id, known) : [];
    case "published":
      if (message.action === "publish") return decidePublished(message, known, policy);
      return policy.published_only ? withdrawEvent(message.event.id, known) : [];
  }
}

function* decidePublished({ event, attributes, refused }: PublishedMessage, known: Known, policy: Policy): Generator<Decision, void, undefined> {
  if (attributes === undefined) return;
  const there = new Set<string>();
  for (const attribute of attributes) {
    there.add(attribute.uuid);
    yield decideAttribute({ kind: "attribute", action: "add", attribute, event }, known.get(attribute.uuid), known.complete, policy);
  }
  // A row that could not be read may be any of those that seem to be missing.
  if (refused.length > 0) return;
  for (const uuid of known.ofEvent(event.id)) {
    const before = there.has(uuid) ? undefined : known.get(uuid);
    // One that is as new as the event may have been added after this message was made.
    if (before !== undefined && before.patterns.length > 0 && before.timestamp < (event.timestamp ?? 0)) yield withdraw(uuid, before, event.timestamp ?? 0);
  }
}

function* withdrawEvent(id: string, known: Known): Generator<Decision, void, undefined> {
  for (const uuid of known.ofEvent(id)) {
    const before = known.get(uuid);
    if (before !== undefined && before.patterns.length > 0) yield withdraw(uuid, before, before.timestamp);
  }
}

/**
 * An attribute that is no longer for detection, deleted, kept back by the filter or without mapping is withdrawn with the patterns that
 * were sent; one with another value is withdrawn and sent anew.
 */
function decideAttribute(message: AttributeMessage, before: Sent | undefined, complete: boolean, policy: Policy): Decision {
  const { action, attribute, event } = message;
  const { uuid, timestamp } = attribute;
  if (before !== undefined && timestamp < before.timestamp) return skipped(uuid, "stale");
  const deleted = action === "delete" || action === "soft-delete" || attribute.deleted;
  if (deleted || !attribute.toIds) {
    if (before === undefined) return withdrawUnknown(message, deleted, complete, policy);
    return before.patterns.length > 0 ? withdraw(uuid, before, timestamp) : skipped(uuid, "absent");
  }
  if (policy.published_only && event?.published !== true) return skipped(uuid, "published");
  const mapped = policy.passes(attribute, event) ? indicatorsOf(attribute, event, policy.mapping) : "filter";
  if (typeof mapped !== "string") return publish(attribute, mapped, before);
  return before !== undefined && before.patterns.length > 0 ? withdraw(uuid, before, timestamp) : skipped(uuid, mapped);
}

/** Half by half: what is new, what is a new version, what takes the place of something else. */
function publish(attribute: MispAttribute, { indicators, rule }: Mapped, before: Sent | undefined): Decision {
  const sent = sentOf(attribute, indicators);
  const { uuid } = attribute;
  if (before === undefined || before.patterns.length === 0) return { outcome: "mapped", uuid, indicators, sent, ...(rule && { rule }) };
  const same = before.patternType === sent.patternType && before.patterns.length === indicators.length;
  if (same && before.timestamp === sent.timestamp && before.fingerprint === sent.fingerprint && before.patterns.every((pattern, half) => pattern === indicators[half]?.pattern)) {
    return skipped(uuid, "unchanged");
  }
  const removals: UpdatedIndicator[] = [];
  const updated = [...indicators] as UpdatedIndicator[];
  before.patterns.forEach((pattern, half) => {
    const now = indicators[half];
    if (now?.pattern === pattern && now.pattern_type === before.patternType) updated[half] = { ...now, x_threatbus_update: "EDIT" };
    else removals.push(removal(uuid, half, before, before.timestamp));
  });
  return { outcome: "mapped", uuid, indicators: [...removals, ...updated], sent, ...(rule && { rule }) };
}

function withdraw(uuid: string, before: Sent, at: number): Decision {
  return {
    outcome: "mapped",
    uuid,
    indicators: before.patterns.map((_, half) => removal(uuid, half, before, at)),
    sent: { ...before, patterns: [], timestamp: Math.max(at, before.timestamp) },
  };
}

/**
 * A removal of an attribute not remembered. It may have been sent by a process that kept no memory: then it is withdrawn with the patterns
 * the message itself names. In any case it is remembered, since what was said before the removal may arrive after it.
 */
function withdrawUnknown(message: AttributeMessage, deleted: boolean, complete: boolean, policy: Policy): Decision {
  const { action, attribute, event } = message;
  const { uuid, toIds } = attribute;
  const gone: Sent = { patterns: [], patternType: "stix", timestamp: attribute.timestamp, eventId: attribute.eventId, fingerprint: 0 };
  // Most attributes are not for detection from the start, and say so whenever they are touched.
  if (!toIds && (action === "add" || complete) && !deleted) return skipped(uuid, "to_ids");
  const mapped = !toIds && deleted ? "to_ids" : policy.passes(attribute, event) ? indicatorsOf(attribute, event, policy.mapping) : "filter";
  if (typeof mapped === "string") return skipped(uuid, mapped, deleted ? gone : undefined);
  return complete ? skipped(uuid, "absent", gone) : withdraw(uuid, sentOf(attribute, mapped.indicators), attribute.timestamp);
}

function sentOf(attribute: MispAttribute, indicators: readonly Indicator[]): Sent {
  const [first] = indicators;
  return {
    patterns: indicators.map(({ pattern }) => pattern),
    patternType: (first?.pattern_type ?? "stix") as Sent["patternType"],
    timestamp: attribute.timestamp,
    eventId: attribute.eventId,
    fingerprint: first === undefined ? 0 : fingerprintOf(first),
    ...(first?.created_by_ref !== undefined && { creator: first.created_by_ref }),
    ...(first?.object_marking_refs !== undefined && { markings: first.object_marking_refs }),
  };
}

/** The indicator that was sent, revoked: newer than it in any case, since a hard delete brings no time of its own. */
function removal(uuid: string, half: number, { patterns, patternType, timestamp, creator, markings }: Sent, at: number): UpdatedIndicator {
  const since = timestampOf(timestamp);
  return {
    type: "indicator",
    spec_version: "2.1",
    id: indicatorId(uuid, half),
    ...(creator !== undefined && { created_by_ref: creator }),
    created: since,
    modified: at > timestamp ? timestampOf(at) : timestampOf(timestamp, 1),
    revoked: true,
    pattern: patterns[half] ?? "",
    pattern_type: patternType,
    ...(patternType === "stix" && { pattern_version: "2.1" }),
    valid_from: since,
    external_references: [referenceOf(uuid)],
    ...(markings !== undefined && { object_marking_refs: markings }),
    x_threatbus_update: "REMOVE",
  };
}

function skipped(uuid: string, reason: SkipReason, sent?: Sent): Decision {
  return { outcome: "skipped", uuid, reason, ...(sent && { sent }) };
}
