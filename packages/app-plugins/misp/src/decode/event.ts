import type { DecodeRefusal, MispAttribute, MispEvent, MispOrganisation } from "./message.ts";
import { attributeOf, tagsOf } from "./attribute.ts";
import { isFields, items, seconds, truth, uuid, words } from "./fields.ts";
import type { Fields } from "./fields.ts";

const nothing: Fields = {};

/**
 * The event of a message, whose parts stand inside it (ZeroMQ, REST) or beside it (Kafka). Sync messages have only its id.
 * @param trusted whether its word on being published holds: attribute messages are made before MISP unpublishes the event
 */
export function eventOf(given: unknown, beside: Fields, trusted: boolean): MispEvent | undefined {
  const fields: Fields | undefined = isFields(given) ? given : words(given) === "" ? undefined : { id: given };
  if (fields === undefined) return undefined;
  const tags = tagsOf(fields["EventTag"] ?? fields["Tag"] ?? beside["EventTag"], "all");
  const published = trusted ? truth(fields["published"]) : undefined;
  const timestamp = newest(seconds(fields["timestamp"]), seconds(fields["publish_timestamp"]));
  return {
    id: words(fields["id"]),
    uuid: uuid(fields["uuid"]),
    orgc: organisationOf(fields["Orgc"] ?? beside["Orgc"], fields["orgc_id"]),
    ...(tags !== undefined && { tags }),
    ...(published !== undefined && { published }),
    ...(timestamp !== undefined && { timestamp }),
  };
}

/** @param id where it stands outside of the organisation as well */
export function organisationOf(given: unknown, id: unknown): MispOrganisation {
  const fields = isFields(given) ? given : nothing;
  return { id: words(id) || words(fields["id"]), uuid: uuid(fields["uuid"]), name: words(fields["name"]) };
}

/** The attributes of a whole event, those of its objects too. Undefined if there is no list of them. */
export function attributesOf(root: Fields, event: Fields, eventId: string): { attributes: MispAttribute[]; refused: DecodeRefusal[] } | undefined {
  const own = items(event["Attribute"] ?? root["Attribute"]);
  const objects = items(event["Object"] ?? root["Object"]);
  if (own === undefined && objects === undefined) return undefined;
  const attributes: MispAttribute[] = [];
  const refused: DecodeRefusal[] = [];
  const take = (rows: readonly unknown[] | undefined): void => {
    for (const row of rows ?? []) {
      const attribute = attributeOf(row, eventId);
      if (typeof attribute === "string") refused.push(attribute);
      else attributes.push(attribute);
    }
  };
  take(own);
  for (const object of objects ?? []) if (isFields(object)) take(items(object["Attribute"]));
  return { attributes, refused };
}

function newest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}
