import { randomUUID } from "node:crypto";
import type { AttributeRow, Library, SightingRow } from "./library.ts";

type Fields = Readonly<Record<string, unknown>>;

/** `sightings/add[/id]`. What does not succeed is told with status 200, too (app/Controller/SightingsController.php). */
export function addSighting(library: Library, target: string | undefined, given: Fields, now: number): { readonly body: unknown; readonly saved: readonly SightingRow[] } {
  const asked = (given["Sighting"] ?? given["request"] ?? given) as Fields;
  const reason = (words: string): { body: unknown; saved: readonly SightingRow[] } => ({ body: { message: `Could not add the Sighting. Reason: ${words}` }, saved: [] });
  const type = Number(asked["type"] ?? 0);
  if (![0, 1, 2].includes(type)) return reason("Invalid type. Please change it before you POST 1000000 sightings.");
  const attributes = sighted(library, target, asked).filter(({ deleted }) => !deleted);
  if (attributes.length === 0) return reason("No valid attributes found that match the criteria.");
  const saved = attributes.map((attribute) => keep(library, attribute, { type, source: asked["source"], time: Number(asked["timestamp"] ?? now), uuid: randomUUID() }));
  return { body: { Sighting: library.sightingJson(saved[0] as SightingRow, { attribute: false, event: false }) }, saved };
}

/** `sightings/bulkSaveSightings/<event>`: keeps the given uuids, and leaves out those it has. */
export function saveSightings(library: Library, event: string | undefined, given: unknown): { readonly body: unknown; readonly saved: readonly SightingRow[] } | undefined {
  const found = event === undefined ? undefined : library.eventOf(event);
  if (found === undefined || !Array.isArray(given)) return undefined;
  const saved = (given as Fields[]).flatMap((each) => {
    const attribute = library.attributeOf(String(each["attribute_uuid"]));
    const uuid = String(each["uuid"]);
    if (attribute?.event_id !== found.id || library.sightings.some((known) => known.uuid === uuid)) return [];
    return [keep(library, attribute, { type: Number(each["type"]), source: each["source"], time: Number(each["date_sighting"]), uuid })];
  });
  return { body: { saved: true, success: `${saved.length} sightings added.` }, saved };
}

function sighted(library: Library, target: string | undefined, asked: Fields): AttributeRow[] {
  const id = target ?? asked["uuid"] ?? asked["id"];
  if (typeof id === "string" || typeof id === "number") return String(id).split("|").flatMap((each) => library.attributeOf(each) ?? []);
  const values = [asked["values"] ?? asked["value"] ?? []].flat();
  return [...library.attributes.values()].filter(({ value }) => values.includes(value) || value.split("|").some((half) => values.includes(half)));
}

function keep(library: Library, attribute: AttributeRow, { type, source, time, uuid }: { type: number; source: unknown; time: number; uuid: string }): SightingRow {
  const row = { id: library.nextId(), uuid, attribute_id: attribute.id, event_id: attribute.event_id, org_id: 1, date_sighting: time, source: typeof source === "string" ? source.trim() : "", type };
  library.sightings.push(row);
  return row;
}
