import type { DecodeRefusal, MispAttribute, MispTag } from "./message.ts";
import { isFields, items, seconds, truth, uuid, words } from "./fields.ts";
import type { Fields } from "./fields.ts";

const none: readonly MispTag[] = [];

/**
 * An attribute as every topic and the REST API have it.
 * @param eventId of the event around it, for rows that do not name theirs
 */
export function attributeOf(row: unknown, eventId: string): MispAttribute | DecodeRefusal {
  if (!isFields(row)) return "shape";
  const id = uuid(row["uuid"]);
  if (id === "") return "uuid";
  const timestamp = seconds(row["timestamp"]);
  if (timestamp === undefined) return "timestamp";
  const toIds = truth(row["to_ids"]);
  if (toIds === undefined) return "to_ids";
  const deleted = truth(row["deleted"] ?? false);
  const type = words(row["type"]);
  const value = valueOf(row);
  if (deleted === undefined || type === "" || value === undefined) return "shape";
  const expires = expiryOf(row["Sighting"]);
  return {
    id: words(row["id"]), uuid: id, type, value, category: words(row["category"]), comment: words(row["comment"]), toIds, deleted, timestamp,
    eventId: words(row["event_id"]) || eventId,
    tags: tagsOf(row["Tag"] ?? row["AttributeTag"], "own") ?? none,
    ...(expires !== undefined && { expires }),
  };
}

/**
 * Tags in a list of them, or of rows that hold one each (`AttributeTag`, `EventTag`). Undefined if there is no list.
 * @param which in rows of the REST API an attribute's list holds those it has from its event too
 */
export function tagsOf(value: unknown, which: "own" | "inherited" | "all"): readonly MispTag[] | undefined {
  const list = items(value);
  if (list === undefined) return undefined;
  if (list.length === 0) return none;
  const tags: MispTag[] = [];
  for (const item of list) {
    if (!isFields(item)) continue;
    const inherited = truth(item["inherited"]) ?? false;
    const tag = which === "all" || inherited === (which === "inherited") ? tagOf(item["Tag"] ?? item, item) : undefined;
    if (tag !== undefined) tags.push(tag);
  }
  return tags;
}

/** @param holder where `local` stands in rows that hold a tag */
export function tagOf(fields: unknown, holder: unknown = fields): MispTag | undefined {
  if (!isFields(fields)) return undefined;
  const name = words(fields["name"]);
  if (name === "") return undefined;
  const local = truth(fields["local"]) ?? (isFields(holder) ? truth(holder["local"]) : undefined);
  return { name, local: local ?? false, exportable: truth(fields["exportable"]) ?? true };
}

/** Composite values stand in one piece, in two, or both. */
function valueOf(row: Fields): string | undefined {
  const whole = row["value"];
  if (typeof whole === "string" || typeof whole === "number") return words(whole);
  const first = words(row["value1"]);
  const second = words(row["value2"]);
  return first === "" ? undefined : second === "" ? first : `${first}|${second}`;
}

/** The newest sighting of type 2. */
function expiryOf(value: unknown): number | undefined {
  let newest: number | undefined;
  for (const item of items(value) ?? []) {
    if (!isFields(item) || words(item["type"]) !== "2") continue;
    const at = seconds(item["date_sighting"]);
    if (at !== undefined && (newest === undefined || at > newest)) newest = at;
  }
  return newest;
}
