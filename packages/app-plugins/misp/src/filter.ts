import type { MispAttributeMessage } from "./decode.ts";
import type { FilterEntry } from "./options.ts";

export type Filter = (message: MispAttributeMessage) => boolean;

/**
 * Within a list *or*, between `orgs`, `types` and `tags` *and*, between entries *or*; an empty list, or no entry at all, lets
 * everything pass. Organisations are the event's creators: a message without event has none.
 */
export function filterOf(entries: readonly FilterEntry[]): Filter {
  const tests = entries.map(testOf);
  return (message) => tests.length === 0 || tests.some((test) => test(message));
}

function testOf(entry: FilterEntry): Filter {
  const orgs = new Set(entry.orgs.map((org) => plain(String(org))));
  const types = new Set(entry.types);
  const tags = new Set(entry.tags.map(tagKey));
  return ({ attribute, event }) =>
    (types.size === 0 || types.has(attribute.type)) &&
    (tags.size === 0 || attribute.tags.some(({ name }) => tags.has(tagKey(name)))) &&
    (orgs.size === 0 || (event !== undefined && [event.orgc.id, event.orgc.uuid, event.orgc.name].some((org) => org !== "" && orgs.has(plain(org)))));
}

function plain(org: string): string {
  return org.trim().toLowerCase();
}

/** MISP writes `tlp:amber`, people write `TLP:AMBER`. */
function tagKey(name: string): string {
  const lower = name.toLowerCase();
  return lower.startsWith("tlp:") ? lower : name;
}
