import { eventDay } from "./library.ts";
import type { AttributeRow, EventRow, Library, SightingRow } from "./library.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface Found {
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * `attributes/restSearch`. Pages are cut first and warning lists applied then, so that a page may be short or empty and not the last; and
 * `X-Result-Count` is one too many for a full or empty page that nothing was taken from (app/Model/MispAttribute.php, __iteratedFetch).
 */
export function searchAttributes(library: Library, asked: Fields, now: number): Found {
  const matching = [...library.attributes.values()].filter((row) => matches(row, library.events.get(row.event_id), asked, now));
  const rows = asked["order"] === undefined ? matching : matching.sort((a, b) => a.id - b.id);
  const limit = Number(asked["limit"] ?? Infinity), page = Number(asked["page"] ?? 1);
  const raw = rows.slice(limit === Infinity ? 0 : limit * (page - 1), limit * page);
  const given = truth(asked["enforceWarninglist"]) ? raw.filter(({ warned }) => !warned) : raw;
  const skipped = raw.length - given.length;
  const count = raw.length + (skipped === 0 && (raw.length === 0 || raw.length === limit) ? 1 : 0);
  const shape = { eventTags: truth(asked["includeEventTags"]), context: truth(asked["includeContext"]) };
  return {
    body: { response: { Attribute: given.map((row) => library.searchJson(row, shape)) } },
    headers: { "X-Result-Count": String(count), "X-Skipped-Elements-Count": String(skipped) },
  };
}

export function searchSightings(library: Library, asked: Fields): Found {
  const from = Number(asked["from"] ?? 0);
  const shape = { attribute: truth(asked["includeAttribute"]), event: truth(asked["includeEvent"]) };
  const rows = library.sightings.filter((row: SightingRow) => row.date_sighting >= from);
  return { body: { response: rows.map((row) => ({ Sighting: library.sightingJson(row, shape) })) }, headers: {} };
}

function matches(row: AttributeRow, event: EventRow | undefined, asked: Fields, now: number): boolean {
  const among = (name: string, ...values: readonly unknown[]): boolean => {
    const wanted = asked[name];
    if (wanted === undefined) return true;
    const { OR = Array.isArray(wanted) || typeof wanted !== "object" ? [wanted].flat() : [], NOT = [] } = Object(wanted) as { OR?: unknown[]; NOT?: unknown[] };
    const has = (each: unknown): boolean => values.some((value) => String(value).toLowerCase() === String(each).toLowerCase());
    return (OR.length === 0 || OR.some(has)) && !NOT.some(has);
  };
  const deleted = asked["deleted"] === undefined ? [0] : [asked["deleted"]].flat().map(Number);
  return (
    deleted.includes(Number(row.deleted)) &&
    among("type", row.type) && among("category", row.category) && among("uuid", row.uuid) && among("eventid", row.event_id, event?.uuid) &&
    among("org", event?.orgc.id, event?.orgc.uuid, event?.orgc.name) &&
    among("tags", ...row.tags.map(({ name }) => name), ...(event?.tags ?? []).map(({ name }) => name)) &&
    (asked["to_ids"] === undefined || truth(asked["to_ids"]) === row.to_ids) &&
    (asked["published"] === undefined || truth(asked["published"]) === event?.published) &&
    (asked["from"] === undefined || dayOf(asked["from"]) <= eventDay) && (asked["to"] === undefined || dayOf(asked["to"]) >= eventDay) &&
    since(asked["timestamp"] ?? asked["attribute_timestamp"], row.timestamp, now) &&
    since(asked["publish_timestamp"] ?? asked["last"], event?.publish_timestamp ?? 0, now)
  );
}

/** A time to compare with: seconds, `"5d"`, or a pair. What MISP cannot read it takes for a second from now: nothing is found. */
function since(asked: unknown, time: number, now: number): boolean {
  if (asked === undefined) return true;
  const [from, to] = [asked].flat().map((each) => secondsOf(each, now));
  return time >= (from ?? 0) && (to === undefined || time <= to);
}

/** A day, given as one or in seconds. */
function dayOf(given: unknown): string {
  return /^\d+$/.test(String(given)) ? new Date(Number(given) * 1_000).toISOString().slice(0, 10) : String(given);
}

function secondsOf(given: unknown, now: number): number {
  const [, digits, unit] = /^(\d+)([dhm]?)$/.exec(String(given)) ?? [];
  if (digits === undefined) return now + 1;
  return unit === "" ? Number(digits) : now - Number(digits) * ({ d: 86_400, h: 3_600, m: 60 }[unit ?? ""] ?? 0);
}

function truth(value: unknown): boolean {
  return value === true || value === 1 || value === "1" || value === "true";
}
