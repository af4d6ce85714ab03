import { randomUUID } from "node:crypto";

/** A row as MISP keeps it; what the database has as numbers stands here as numbers. */
export interface AttributeRow {
  id: number;
  event_id: number;
  uuid: string;
  type: string;
  category: string;
  value: string;
  to_ids: boolean;
  deleted: boolean;
  comment: string;
  /** Seconds since 1970-01-01 UTC. */
  timestamp: number;
  tags: TagRow[];
  /** A warning list has its value: searches that enforce those leave it out. */
  warned: boolean;
}

export interface EventRow {
  id: number;
  uuid: string;
  info: string;
  org_id: number;
  orgc: { id: number; uuid: string; name: string };
  published: boolean;
  timestamp: number;
  publish_timestamp: number;
  tags: TagRow[];
}

export interface TagRow {
  id: number;
  name: string;
  exportable: boolean;
  local: boolean;
}

export interface SightingRow {
  id: number;
  uuid: string;
  attribute_id: number;
  event_id: number;
  org_id: number;
  date_sighting: number;
  source: string;
  type: number;
}

type Fields = Readonly<Record<string, unknown>>;

/** The day every event is about, which an analyst sets by hand; long past, since it says nothing of when anything changed. */
export const eventDay = "2024-09-16";

/** What a MISP holds, and how it writes that as JSON. */
export class Library {
  readonly events: Map<number, EventRow> = new Map();
  readonly attributes: Map<string, AttributeRow> = new Map();
  readonly sightings: SightingRow[] = [];
  /** Numbers in place of their strings, as a MISP 2.5 with an old database.php writes them (MISP/MISP#10297). */
  integers = false;
  #ids = 1;

  nextId(): number {
    return this.#ids++;
  }

  tag(name: string): TagRow {
    return { id: this.nextId(), name, exportable: true, local: false };
  }

  attributeOf(idOrUuid: string): AttributeRow | undefined {
    return this.attributes.get(idOrUuid.toLowerCase()) ?? [...this.attributes.values()].find(({ id }) => String(id) === idOrUuid);
  }

  eventOf(idOrUuid: string): EventRow | undefined {
    return [...this.events.values()].find(({ id, uuid }) => String(id) === idOrUuid || uuid === idOrUuid);
  }

  addEvent({ tags = [], ...given }: Partial<Omit<EventRow, "tags">> & { tags?: readonly string[] }, now: number): EventRow {
    const id = this.nextId();
    const event: EventRow = {
      id, uuid: randomUUID(), info: `event ${id}`, org_id: 1, orgc: { id: 2, uuid: "55f6ea5e-2c60-40e5-964f-47a8950d210f", name: "CIRCL" },
      published: false, timestamp: now, publish_timestamp: 0, ...given, tags: tags.map((name) => this.tag(name)),
    };
    this.events.set(event.id, event);
    return event;
  }

  addAttribute(event: EventRow, { tags = [], ...given }: Partial<Omit<AttributeRow, "tags">> & { tags?: readonly string[] }, now: number): AttributeRow {
    const attribute: AttributeRow = {
      id: this.nextId(), event_id: event.id, uuid: randomUUID(), type: "ip-dst", category: "Network activity", value: "198.51.100.7", to_ids: true,
      deleted: false, comment: "", timestamp: now, warned: false, ...given, tags: tags.map((name) => this.tag(name)),
    };
    this.attributes.set(attribute.uuid, attribute);
    return attribute;
  }

  /** As the feed's messages have it (app/Model/MispAttribute.php, fetchAttribute). `Tag` is absent where there is none. */
  attributeJson(row: AttributeRow, tags: readonly TagRow[] = row.tags): Fields {
    const [value1 = "", value2 = ""] = row.value.split("|");
    return { ...this.#attribute(row), value1, value2, ...(tags.length > 0 && { Tag: tags.map((tag) => this.tagJson(tag)) }), Sighting: [] };
  }

  /** As `attributes/restSearch` has it: no halves of the value, the tags of the event with `inherited: 1` where asked for. */
  searchJson(row: AttributeRow, { eventTags, context }: { eventTags: boolean; context: boolean }): Fields {
    const event = this.events.get(row.event_id);
    const inherited = eventTags ? (event?.tags ?? []).map((tag) => ({ ...this.tagJson(tag), inherited: 1 })) : [];
    const tags = [...row.tags.map((tag) => this.tagJson(tag)), ...inherited];
    return { ...this.#attribute(row), ...(tags.length > 0 && { Tag: tags }), ...(event !== undefined && { Event: context ? this.eventJson(event) : this.#plainEvent(event) }) };
  }

  eventJson(event: EventRow): Fields {
    return {
      ...this.#plainEvent(event), date: eventDay, published: event.published, analysis: this.#n(0), threat_level_id: this.#n(4), sharing_group_id: this.#n(0),
      timestamp: this.#n(event.timestamp), publish_timestamp: this.#n(event.publish_timestamp),
      Orgc: { id: this.#n(event.orgc.id), uuid: event.orgc.uuid, name: event.orgc.name },
    };
  }

  /** The event of an attribute's message: without tags and times. */
  feedEventJson(event: EventRow): Fields {
    const { timestamp: _, publish_timestamp: __, ...rest } = this.eventJson(event) as { timestamp: unknown; publish_timestamp: unknown };
    return rest;
  }

  /** As `misp_json` has it: everything inside, deleted attributes left out. */
  publishedJson(event: EventRow): Fields {
    const attributes = [...this.attributes.values()].filter(({ event_id, deleted }) => event_id === event.id && !deleted);
    return { Event: { ...this.eventJson(event), Tag: event.tags.map((tag) => this.tagJson(tag)), Attribute: attributes.map((row) => ({ ...this.#attribute(row), ...(row.tags.length > 0 && { Tag: row.tags.map((tag) => this.tagJson(tag)) }) })), Object: [] } };
  }

  sightingJson(row: SightingRow, inside: { attribute: boolean; event: boolean }): Fields {
    const attribute = this.attributeOf(String(row.attribute_id));
    const event = this.events.get(row.event_id);
    return {
      id: this.#n(row.id), attribute_id: this.#n(row.attribute_id), event_id: this.#n(row.event_id), org_id: this.#n(row.org_id),
      date_sighting: this.#n(row.date_sighting), uuid: row.uuid, source: row.source, type: this.#n(row.type),
      ...(inside.event && event !== undefined && { Event: { ...this.#plainEvent(event), Orgc: { name: event.orgc.name } } }),
      ...(inside.attribute && attribute !== undefined && { Attribute: { value: attribute.value, id: this.#n(attribute.id), uuid: attribute.uuid, type: attribute.type, category: attribute.category, to_ids: attribute.to_ids } }),
    };
  }

  tagJson({ id, name, exportable, local }: TagRow): Fields {
    return { id: this.#n(id), name, colour: "#ffc000", exportable, local };
  }

  #attribute({ id, event_id, uuid, type, category, value, to_ids, deleted, comment, timestamp }: AttributeRow): Fields {
    return {
      id: this.#n(id), event_id: this.#n(event_id), object_id: this.#n(0), object_relation: null, category, type, to_ids, uuid, timestamp: this.#n(timestamp),
      distribution: this.#n(5), sharing_group_id: this.#n(0), comment, deleted, disable_correlation: false, first_seen: null, last_seen: null, value,
    };
  }

  #plainEvent({ id, uuid, info, org_id, orgc }: EventRow): Fields {
    return { id: this.#n(id), org_id: this.#n(org_id), orgc_id: this.#n(orgc.id), uuid, info, distribution: this.#n(1) };
  }

  #n(value: number): string | number {
    return this.integers ? value : String(value);
  }
}
