import { isThreatbusError, parseJson, parseText } from "@threatbus/core";
import { attributeOf, tagOf, tagsOf } from "./attribute.ts";
import { attributesOf, eventOf, organisationOf } from "./event.ts";
import { isFields, isRow, seconds, uuid, words } from "./fields.ts";
import type { Fields } from "./fields.ts";
import type {
  AttributeAction, AttributeMessage, Decoded, DecodeRefusal, EventMessage, MispEvent, MispMessage, MispSighting, PublishedMessage, SightingMessage, TagMessage,
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
    const text = parseText(payload);
    const repeated = attributeOfRepeatedEvent(text);
    if (repeated !== undefined) return repeated;
    root = parseJson(text);
  } catch (thrown) {
    return refused((isThreatbusError(thrown) ? (thrown.reason as DecodeRefusal | undefined) : undefined) ?? "json");
  }
  if (!isFields(root)) return refused("shape");
  const { Attribute: row, Sighting: sighting, Tag: tag } = root;
  if (isRow(row)) return attributeMessage(row, contextOf(root));
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

/** What stands beside the attribute in its message. */
interface Context {
  readonly action: unknown;
  readonly event: MispEvent | undefined;
}

function contextOf(root: Fields): Context {
  return { action: root["action"] ?? "add", event: eventOf(root["Event"], root, false) };
}

function attributeMessage(row: Fields, { action, event }: Context): Decoded<AttributeMessage> {
  if (!attributeActions.has(action)) return refused("action");
  const attribute = attributeOf(row, event?.id ?? "");
  if (typeof attribute === "string") return refused(attribute);
  return { ok: true, message: { kind: "attribute", action: action as AttributeAction, attribute, ...(event && { event }) } };
}

/**
 * The messages of an event's attributes differ in the attribute alone, which comes first: what follows is parsed once for all of them. What is
 * JSON before the cut, with the brace that is missing, and behind it, is JSON as a whole, with the members of both. Undefined where a message is
 * not of this form: then it is to be parsed as a whole, which also finds out what is wrong with it.
 */
function attributeOfRepeatedEvent(text: string): Decoded<AttributeMessage> | undefined {
  const repeated = text.length > longestRepeated ? undefined : repeatedIn(text);
  if (repeated === undefined) return undefined;
  const head = jsonOrNothing(`${text.slice(0, text.length - repeated.text.length)}}`);
  if (!isFields(head)) return undefined;
  for (const name in head) if (name !== "Attribute") return undefined;
  return isRow(head["Attribute"]) ? attributeMessage(head["Attribute"], repeated.context) : undefined;
}

/** What stands behind the attribute, from its comma on. */
interface Repeated {
  readonly text: string;
  readonly context: Context;
}

/** Characters of such a message: with what stands behind its attribute, all of it may be kept. */
const longestRepeated = 16 * 1024;
/** Events whose attributes may come in turns. */
const mostRepeated = 8;
/** The latest first. */
const lately: Repeated[] = [];

function repeatedIn(text: string): Repeated | undefined {
  for (const known of lately) if (text.endsWith(known.text)) return known;
  const cut = text.lastIndexOf(',"Event":{');
  const root = cut < 0 ? undefined : jsonOrNothing(`{${text.slice(cut + 1)}`);
  if (!isFields(root) || root["Attribute"] !== undefined) return undefined;
  const found = { text: text.slice(cut), context: contextOf(root) };
  if (lately.unshift(found) > mostRepeated) lately.pop();
  return found;
}

function jsonOrNothing(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
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
