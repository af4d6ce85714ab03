import { isThreatbusError, parseJson } from "@threatbus/core";
import { attributeOf, tagOf, tagsOf } from "./attribute.ts";
import { attributesOf, eventOf, organisationOf } from "./event.ts";
import { isFields, isRow, seconds, uuid, words } from "./fields.ts";
import type { Fields } from "./fields.ts";
import type {
  AttributeAction, AttributeMessage, Decoded, DecodeRefusal, EventMessage, MispMessage, MispSighting, PublishedMessage, SightingMessage, TagMessage,
} from "./message.ts";

const attributeActions: ReadonlySet<unknown> = new Set<AttributeAction>(["add", "edit", "soft-delete", "delete"]);

const eventActions: ReadonlyMap<unknown, EventMessage["action"]> = new Map<string, EventMessage["action"]>([
  ["add", "add"], ["edit", "edit"], ["delete", "delete"], ["add_from_connected_server", "pulled"], ["edit_from_connected_server", "pulled"],
]);
/** Kafka's; ZeroMQ's has no action. */
const publishedActions: ReadonlyMap<unknown, PublishedMessage["action"]> = new Map<unknown, PublishedMessage["action"]>([
  [undefined, "publish"], ["publish", "publish"], ["manual_publish", "publish"], ["unpublish", "unpublish"],
]);

const tagActions: ReadonlyMap<unknown, readonly [TagMessage["action"], ("attribute" | "event")?]> = new Map([
  ["add", ["add"]], ["edit", ["edit"]], ["delete", ["delete"]],
  ["attached to attribute", ["attached", "attribute"]], ["detached from attribute", ["detached", "attribute"]],
  ["attached to event", ["attached", "event"]], ["detached from event", ["detached", "event"]],
]);

/** What a message that is not about its event is about. */
const others = ["Object", "ObjectReference", "ShadowAttribute"];

const sightingTypes: ReadonlyMap<string, MispSighting["type"]> = new Map([["", "sighting"], ["0", "sighting"], ["1", "false-positive"], ["2", "expiration"]]);

/**
 * Reads the JSON of a message from ZeroMQ or Kafka. Its shape says what it is: topics of Kafka have free names. Takes every form
 * MISP 2.4 and 2.5 are known to write: ids and times as strings or numbers, booleans as `true`, `1` or `"1"`, lists as objects with
 * numeric keys, an event that is only an id.
 */
export function decode(payload: Uint8Array): Decoded<MispMessage> {
  let root: unknown;
  try {
    root = parseJson(payload);
  } catch (thrown) {
    return refused((isThreatbusError(thrown) ? (thrown.reason as DecodeRefusal | undefined) : undefined) ?? "json");
  }
  if (!isFields(root)) return refused("shape");
  const { Attribute: row, Sighting: sighting, Tag: tag } = root;
  if (isRow(row)) return attributeMessage(root, row);
  if (isRow(sighting)) return sightingMessage(root, sighting);
  if (isRow(tag)) return tagMessage(root, tag);
  // The topics of objects and proposals name their event too.
  return root["Event"] === undefined || others.some((name) => isRow(root[name])) ? refused("shape") : eventMessage(root);
}

/** A row of `attributes/restSearch`, with its event in it. */
export function decodeRow(row: unknown): Decoded<AttributeMessage> {
  if (!isFields(row)) return refused("shape");
  const event = eventOf(row["Event"], row, true);
  const attribute = attributeOf(row, event?.id ?? "");
  if (typeof attribute === "string") return refused(attribute);
  // Without includeContext the event has no list of tags, but the attribute has those it inherits; without any there is no list at all.
  const tags = event?.tags ?? tagsOf(row["Tag"], "inherited") ?? [];
  return { ok: true, message: { kind: "attribute", action: "add", attribute, ...(event && { event: { ...event, tags } }) } };
}

function attributeMessage(root: Fields, row: Fields): Decoded<AttributeMessage> {
  const action = root["action"] ?? "add";
  if (!attributeActions.has(action)) return refused("action");
  const event = eventOf(root["Event"], root, false);
  const attribute = attributeOf(row, event?.id ?? "");
  if (typeof attribute === "string") return refused(attribute);
  return { ok: true, message: { kind: "attribute", action: action as AttributeAction, attribute, ...(event && { event }) } };
}

/** An event alone, or with all that is in it. */
function eventMessage(root: Fields): Decoded<EventMessage | PublishedMessage> {
  const event = eventOf(root["Event"], root, true);
  if (event === undefined || event.id === "") return refused("shape");
  const action = root["action"];
  const alone = eventActions.get(action);
  if (alone !== undefined) return { ok: true, message: { kind: "event", action: alone, event } };
  const whole = publishedActions.get(action);
  if (whole === undefined) return refused("action");
  const fields = root["Event"];
  if (!isFields(fields)) return refused("shape");
  const found = attributesOf(root, fields, event.id);
  const published = whole === "publish" ? (event.published ?? true) : false;
  return {
    ok: true,
    message: { kind: "published", action: whole, event: { ...event, published }, refused: found?.refused ?? [], ...(found && { attributes: found.attributes }) },
  };
}

function tagMessage(root: Fields, fields: Fields): Decoded<TagMessage> {
  const [action, target] = tagActions.get(root["action"]) ?? [];
  if (action === undefined) return refused("action");
  const tag = tagOf(fields);
  if (tag === undefined) return refused("shape");
  if (target === undefined) return { ok: true, message: { kind: "tag", action, tag } };
  const id = words(fields[`${target}_id`]);
  return id === "" ? refused("shape") : { ok: true, message: { kind: "tag", action, tag, target: { kind: target, id } } };
}

function sightingMessage(root: Fields, fields: Fields): Decoded<SightingMessage> {
  const action = root["action"] ?? "add";
  if (action !== "add" && action !== "delete") return refused("action");
  const id = uuid(fields["uuid"]);
  if (id === "") return refused("uuid");
  const timestamp = seconds(fields["date_sighting"]);
  if (timestamp === undefined) return refused("timestamp");
  const type = sightingTypes.get(words(fields["type"]));
  if (type === undefined) return refused("shape");
  const attribute = fields["Attribute"];
  const sighting: MispSighting = {
    uuid: id, type, timestamp, source: words(fields["source"]),
    attributeUuid: isFields(attribute) ? uuid(attribute["uuid"]) : "",
    attributeId: words(fields["attribute_id"]),
    eventId: words(fields["event_id"]),
    organisation: organisationOf(fields["Organisation"], fields["org_id"]),
  };
  return { ok: true, message: { kind: "sighting", action, sighting } };
}

function refused(reason: DecodeRefusal): { readonly ok: false; readonly reason: DecodeRefusal } {
  return { ok: false, reason };
}
