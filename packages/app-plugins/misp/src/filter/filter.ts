import type { MispAttribute, MispEvent } from "../decode/message.ts";
import type { FilterEntry, FilterOptions } from "./options.ts";

export type Filter = (attribute: MispAttribute, event: MispEvent | undefined) => boolean;

/**
 * Within a list *or*, between the lists of an entry *and*, between entries *or*; an empty list, or no entry at all, lets everything pass.
 * What passes an entry of `exclude` does not pass. Organisations are the event's creators: an attribute without event has none.
 */
export function filterOf({ filter, exclude }: FilterOptions): Filter {
  const included = filter.map(testOf);
  const excluded = exclude.map(testOf);
  return (attribute, event) =>
    (included.length === 0 || included.some((test) => test(attribute, event))) && !excluded.some((test) => test(attribute, event));
}

/** Whether an attribute cannot be judged without all its tags and those of its event. */
export function needsTags({ filter, exclude }: FilterOptions): boolean {
  return [...filter, ...exclude].some(({ tags }) => tags.length > 0);
}

function testOf(entry: FilterEntry): Filter {
  const orgs = new Set(entry.orgs.map((org) => plain(String(org))));
  const types = new Set(entry.types);
  const tags = new Set(entry.tags.map(tagKey));
  const categories = new Set(entry.categories.map(plain));
  return (attribute, event) =>
    (types.size === 0 || types.has(attribute.type)) &&
    (categories.size === 0 || categories.has(plain(attribute.category))) &&
    (tags.size === 0 || attribute.tags.some(({ name }) => tags.has(tagKey(name))) || (event?.tags?.some(({ name }) => tags.has(tagKey(name))) ?? false)) &&
    (orgs.size === 0 || (event !== undefined && [event.orgc.id, event.orgc.uuid, event.orgc.name].some((org) => org !== "" && orgs.has(plain(org)))));
}

function plain(text: string): string {
  return text.trim().toLowerCase();
}

/** MISP writes `tlp:amber`, people write `TLP:AMBER`. */
function tagKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.startsWith("tlp:") ? lower : name;
}
