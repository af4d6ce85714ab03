import { isThreatbusError, parseJson } from "@threatbus/core";
import type { RefusalReason } from "@threatbus/core";

export type Action = "add" | "edit" | "soft-delete" | "delete";

/** One `misp_json_attribute` message, every field in one form. */
export interface MispAttributeMessage {
  /** `add` where an old MISP gives none. */
  readonly action: Action;
  readonly attribute: MispAttribute;
  /** Absent when the message has none: hard deletes. */
  readonly event?: MispEvent;
}

export interface MispAttribute {
  /** Lower case. */
  readonly uuid: string;
  readonly type: string;
  readonly value: string;
  readonly category: string;
  readonly comment: string;
  readonly toIds: boolean;
  readonly deleted: boolean;
  /** Seconds since 1970-01-01 UTC of the last change. */
  readonly timestamp: number;
  /** Of this MISP. Empty if unknown. */
  readonly eventId: string;
  readonly tags: readonly MispTag[];
}

export interface MispTag {
  readonly name: string;
  /** Never leaves the MISP where it was set. */
  readonly local: boolean;
  readonly exportable: boolean;
}

export interface MispEvent {
  readonly id: string;
  readonly uuid: string;
  /** The creator. Fields are empty where unknown. */
  readonly orgc: { readonly id: string; readonly uuid: string; readonly name: string };
}

/** What is wrong with the JSON, or with the message in it. */
export type DecodeRefusal = RefusalReason | "shape" | "action" | "uuid" | "timestamp" | "to_ids";

export type Decoded = { readonly ok: true; readonly message: MispAttributeMessage } | { readonly ok: false; readonly reason: DecodeRefusal };

/** 9999-12-31T23:59:59Z in seconds, the last time RFC 3339 can write. */
const lastSecond = 253_402_300_799;

const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const actions: ReadonlySet<unknown> = new Set<Action>(["add", "edit", "soft-delete", "delete"]);

/**
 * Reads the JSON of a `misp_json_attribute` message. Takes every form MISP 2.4 and 2.5 are known to write: ids and times as
 * strings or numbers, booleans as `true`, `1` or `"1"`, lists as objects with numeric keys, an event that is only an id.
 */
export function decodeAttribute(payload: Uint8Array): Decoded {
  const parsed = parse(payload);
  if (!parsed.ok) return parsed;
  const root = parsed.value;
  const row = isFields(root) ? own(root, "Attribute") : undefined;
  if (!isFields(root) || !isFields(row)) return refused("shape");

  const action = own(root, "action") ?? "add";
  if (!actions.has(action)) return refused("action");
  const uuid = words(own(row, "uuid")).toLowerCase();
  if (!uuidForm.test(uuid)) return refused("uuid");
  const timestamp = seconds(own(row, "timestamp"));
  if (timestamp === undefined) return refused("timestamp");
  const toIds = truth(own(row, "to_ids"));
  if (toIds === undefined) return refused("to_ids");
  const deleted = truth(own(row, "deleted") ?? false);
  const type = words(own(row, "type"));
  const value = valueOf(row);
  if (deleted === undefined || type === "" || value === undefined) return refused("shape");

  const event = eventOf(root);
  const attribute: MispAttribute = {
    uuid, type, value, toIds, deleted, timestamp,
    category: words(own(row, "category")),
    comment: words(own(row, "comment")),
    eventId: words(own(row, "event_id")) || (event?.id ?? ""),
    tags: items(own(row, "Tag")).flatMap(tagOf),
  };
  return { ok: true, message: { action: action as Action, attribute, ...(event && { event }) } };
}

type Fields = Readonly<Record<string, unknown>>;

function parse(payload: Uint8Array): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: DecodeRefusal } {
  try {
    return { ok: true, value: parseJson(payload) };
  } catch (thrown) {
    return refused((isThreatbusError(thrown) ? thrown.reason : undefined) ?? "json");
  }
}

function refused(reason: DecodeRefusal): { readonly ok: false; readonly reason: DecodeRefusal } {
  return { ok: false, reason };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Own properties only: a name from outside never reaches a prototype. */
function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}

/** Text of a string or number; empty for anything else. */
function words(value: unknown): string {
  if (typeof value === "number") return String(value);
  return typeof value === "string" ? value : "";
}

function truth(value: unknown): boolean | undefined {
  if (value === true || value === 1 || value === "1" || value === "true") return true;
  return value === false || value === 0 || value === "0" || value === "false" ? false : undefined;
}

function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,12}$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= lastSecond ? number : undefined;
}

/** Entries of a list, or of the object PHP makes of a list with gaps. */
function items(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isFields(value) ? Object.values(value) : [];
}

function valueOf(row: Fields): string | undefined {
  const whole = own(row, "value");
  if (typeof whole === "string" || typeof whole === "number") return words(whole);
  const first = words(own(row, "value1"));
  const second = words(own(row, "value2"));
  return first === "" ? undefined : second === "" ? first : `${first}|${second}`;
}

function tagOf(item: unknown): MispTag[] {
  const fields = isFields(item) && isFields(own(item, "Tag")) ? own(item, "Tag") : item;
  if (!isFields(fields)) return [];
  const name = words(own(fields, "name"));
  if (name === "") return [];
  return [{ name, local: truth(own(fields, "local")) ?? false, exportable: truth(own(fields, "exportable")) ?? true }];
}

function eventOf(root: Fields): MispEvent | undefined {
  const given = own(root, "Event");
  const fields: Fields | undefined = isFields(given) ? given : words(given) === "" ? undefined : { id: given };
  if (fields === undefined) return undefined;
  const organisation = own(fields, "Orgc") ?? own(root, "Orgc");
  const orgc: Fields = isFields(organisation) ? organisation : {};
  const uuid = (value: unknown): string => {
    const lower = words(value).toLowerCase();
    return uuidForm.test(lower) ? lower : "";
  };
  return {
    id: words(own(fields, "id")),
    uuid: uuid(own(fields, "uuid")),
    orgc: { id: words(own(fields, "orgc_id")) || words(own(orgc, "id")), uuid: uuid(own(orgc, "uuid")), name: words(own(orgc, "name")) },
  };
}
