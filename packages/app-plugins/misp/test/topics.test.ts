import { describe, expect, test } from "vitest";
import { decode, decodeRow } from "../src/decode/decode.ts";
import type { PublishedMessage } from "../src/decode/message.ts";
import { sightingOf } from "../src/map/sighting.ts";
import { message } from "@threatbus/core";
import { bytes, creator, read, time, uuid, written } from "./sample.ts";

const other = uuid.replace("5", "6");
const eventUuid = "59b8114b-1c80-4149-be3a-03e9c0a83800";
const orgc = { id: "2", uuid: creator, name: "CIRCL" };
const row = (more: Record<string, unknown> = {}): Record<string, unknown> => ({ ...(written()["Attribute"] as Record<string, unknown>), value1: undefined, value2: undefined, ...more });
const event = { id: "625", uuid: eventUuid, info: "test", published: true, timestamp: String(time), publish_timestamp: String(time + 5), orgc_id: "2" };
const reasonOf = (value: unknown): string => {
  const decoded = decode(bytes(value));
  return decoded.ok ? decoded.message.kind : decoded.reason;
};

describe("a published event", () => {
  const known = { id: "625", uuid: eventUuid, orgc, published: true, timestamp: time + 5 };

  test("of ZeroMQ: everything inside the event", () => {
    const published = read({
      Event: { ...event, Orgc: orgc, Tag: [{ name: "tlp:green" }], Attribute: [row()], Object: [{ name: "file", Attribute: [row({ uuid: other, event_id: undefined })] }, { name: "empty" }], Galaxy: [], RelatedEvent: [], ShadowAttribute: [] },
    }) as PublishedMessage;
    expect(published).toMatchObject({ kind: "published", action: "publish", event: { ...known, tags: [{ name: "tlp:green", local: false, exportable: true }] }, refused: [] });
    expect(published.attributes?.map((attribute) => [attribute.uuid, attribute.eventId, attribute.value])).toStrictEqual([[uuid, "625", "198.51.100.7"], [other, "625", "198.51.100.7"]]);
  });

  test.each(["publish", "manual_publish"])("of Kafka, %s: everything beside the event", (action) => {
    const published = read({
      Event: event, Orgc: orgc, EventTag: [{ id: "1", local: "1", Tag: { name: "tlp:green", exportable: "0" } }], action,
      Attribute: { 0: row({ AttributeTag: [{ Tag: { name: "own" } }] }), 3: row({ uuid: other }) }, Object: [],
    }) as PublishedMessage;
    expect(published).toMatchObject({ kind: "published", action: "publish", event: { ...known, tags: [{ name: "tlp:green", local: true, exportable: false }] } });
    expect(published.attributes?.map((attribute) => [attribute.uuid, attribute.tags.map(({ name }) => name)])).toStrictEqual([[uuid, ["own"]], [other, []]]);
  });

  test("unpublished, deleted", () => {
    expect(read({ Event: event, Attribute: [row()], action: "unpublish" })).toMatchObject({ kind: "published", action: "unpublish", event: { published: false } });
    expect(read({ Event: event, Attribute: [row()], action: "delete" })).toMatchObject({ kind: "event", action: "delete", event: { id: "625" } });
  });

  test("pushed by hand before it is published", () => {
    expect(read({ Event: { ...event, published: "0", Attribute: [] } })).toMatchObject({ event: { published: false }, attributes: [] });
  });

  test("without any list says nothing of its attributes; rows that are none are told", () => {
    expect((read({ Event: event }) as PublishedMessage).attributes).toBeUndefined();
    expect(read({ Event: { ...event, Attribute: [row({ uuid: "x" }), null, row(), row({ to_ids: "?" })] } })).toMatchObject({ refused: ["uuid", "shape", "to_ids"], attributes: [{ uuid }] });
  });
});

describe("an event alone", () => {
  test("with its tags, if they came", () => {
    expect(read({ Event: event, Orgc: orgc, EventTag: [{ Tag: { name: "tlp:green" } }], action: "edit" })).toMatchObject({ kind: "event", action: "edit", event: { id: "625", orgc, tags: [{ name: "tlp:green" }] } });
    expect(read({ Event: event, Orgc: orgc, EventTag: [], action: "add" })).toMatchObject({ event: { tags: [] } });
    expect(read({ Event: event, action: "delete" })).not.toHaveProperty("event.tags");
  });

  test.each(["add_from_connected_server", "edit_from_connected_server"])("%s: the event is a number", (action) => {
    for (const id of ["625", 625]) expect(read({ Event: id, Server: "1", action })).toStrictEqual({ kind: "event", action: "pulled", event: { id: "625", uuid: "", orgc: { id: "", uuid: "", name: "" } } });
  });

  test("an object's message is not its event's", () => {
    for (const part of ["Object", "ObjectReference", "ShadowAttribute"]) expect(reasonOf({ [part]: { id: "7", uuid, deleted: true }, Event: event, action: "delete" })).toBe("shape");
  });

  test.each([[{ Event: event, action: "explode" }, "action"], [{ Event: {}, action: "delete" }, "shape"], [{ Event: [], action: "delete" }, "shape"], [{ Event: null }, "shape"], [{ Event: "625" }, "shape"], [{ Log: {} }, "shape"]])("%j: %s", (value, reason) => {
    expect(reasonOf(value)).toBe(reason);
  });
});

describe("a tag", () => {
  const tag = { id: "3", name: "tlp:amber", colour: "#ffc000", exportable: "1", local: 0 };
  test.each([
    ["attached to attribute", "attached", { attribute_id: "164363", event_id: "625" }, { kind: "attribute", id: "164363" }], ["detached from attribute", "detached", { attribute_id: 164_363 }, { kind: "attribute", id: "164363" }],
    ["attached to event", "attached", { event_id: "625" }, { kind: "event", id: "625" }], ["detached from event", "detached", { event_id: 625 }, { kind: "event", id: "625" }],
  ])("%s", (action, meaning, more, target) => {
    expect(read({ Tag: { ...tag, ...more }, action })).toStrictEqual({ kind: "tag", action: meaning, tag: { name: "tlp:amber", local: false, exportable: true }, target });
  });
  test.each(["add", "edit", "delete"])("%s", (action) => expect(read({ Tag: tag, action })).toStrictEqual({ kind: "tag", action, tag: { name: "tlp:amber", local: false, exportable: true } }));
  test.each([[{ Tag: tag }, "action"], [{ Tag: tag, action: "attached to event" }, "shape"], [{ Tag: { id: "3" }, action: "add" }, "shape"]])("%j: %s", (value, reason) => expect(reasonOf(value)).toBe(reason));
});

describe("a sighting", () => {
  const sighting = {
    id: "9", attribute_id: "164363", event_id: "625", org_id: "1", date_sighting: String(time), uuid: other, source: "sensor 7", type: "0",
    Event: { id: "625", uuid: eventUuid, orgc_id: "2", org_id: "1", info: "test", Orgc: { name: "CIRCL" } }, Attribute: { value: "198.51.100.7", id: "164363", uuid, type: "ip-dst", category: "Network activity", to_ids: true },
  };
  const given = (more: Record<string, unknown> = {}, action = "add") => {
    const decoded = read({ Sighting: { ...sighting, ...more }, action });
    if (decoded.kind !== "sighting") throw new Error(decoded.kind);
    return decoded;
  };

  test("names its attribute, not itself", () => {
    expect(given()).toStrictEqual({
      kind: "sighting", action: "add",
      sighting: { uuid: other, type: "sighting", timestamp: time, source: "sensor 7", attributeUuid: uuid, attributeId: "164363", eventId: "625", organisation: { id: "1", uuid: "", name: "" } },
    });
    expect([given({ type: 1 }), given({ type: "2" }), given({ Attribute: undefined, source: null })].map(({ sighting: made }) => [made.type, made.attributeUuid])).toStrictEqual([["false-positive", uuid], ["expiration", uuid], ["sighting", ""]]);
  });

  test.each([[{ uuid: "9" }, "uuid"], [{ date_sighting: "now" }, "timestamp"], [{ type: "3" }, "shape"]])("%j: %s", (more, reason) => expect(reasonOf({ Sighting: { ...sighting, ...more }, action: "add" })).toBe(reason));
  test("an action that is none", () => expect(reasonOf({ Sighting: sighting, action: "edit" })).toBe("action"));

  test("goes on the bus with the attribute's indicator", () => {
    const made = sightingOf(given({ Organisation: orgc }));
    expect(made).toStrictEqual({
      type: "sighting", spec_version: "2.1", id: `sighting--${other}`, created_by_ref: `identity--${creator}`, created: "2024-09-16T18:34:43.000Z", modified: "2024-09-16T18:34:43.000Z",
      description: "sensor 7", first_seen: "2024-09-16T18:34:43.000Z", last_seen: "2024-09-16T18:34:43.000Z", count: 1, sighting_of_ref: `indicator--${uuid}`,
      where_sighted_refs: [`identity--${creator}`], external_references: [{ source_name: "misp", external_id: uuid }], x_threatbus_source: "MISP",
    });
    expect(made && message(made).topic).toBe("stix2/sighting");
    expect(sightingOf(given())).not.toHaveProperty("where_sighted_refs");
  });

  test("unless it says something else, or not of what", () => {
    expect([given({ type: "1" }), given({ type: "2" }), given({}, "delete"), given({ Attribute: undefined })].map(sightingOf)).toStrictEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("a row of attributes/restSearch", () => {
  const tags = [{ name: "own" }, { name: "tlp:green", inherited: 1 }, { name: "kind", inherited: "1" }];

  test("with the event's tags among its own, or in the event", () => {
    const inherited = decodeRow(row({ Tag: tags, Event: { id: "625", uuid: eventUuid, orgc_id: "2", published: "1" } }));
    expect(inherited).toMatchObject({ ok: true, message: { kind: "attribute", action: "add", attribute: { tags: [{ name: "own" }] }, event: { published: true, orgc: { id: "2" }, tags: [{ name: "tlp:green" }, { name: "kind" }] } } });
    const context = decodeRow(row({ Tag: tags, Event: { id: "625", Orgc: orgc, Tag: [{ name: "tlp:red" }], publish_timestamp: time } }));
    expect(context).toMatchObject({ ok: true, message: { attribute: { tags: [{ name: "own" }] }, event: { orgc, timestamp: time, tags: [{ name: "tlp:red" }] } } });
    expect(decodeRow(row())).not.toHaveProperty("message.event");
    // Of none there is no list.
    expect(decodeRow(row({ Event: { id: "625" } }))).toMatchObject({ message: { event: { tags: [] } } });
  });

  test("its newest expiration", () => {
    const sightings = [{ type: "2", date_sighting: time + 5 }, { type: "0", date_sighting: time + 50 }, { type: 2, date_sighting: String(time + 9) }, { type: "2", date_sighting: "?" }, null];
    expect(decodeRow(row({ Sighting: sightings }))).toMatchObject({ message: { attribute: { expires: time + 9 } } });
  });

  test.each([[null, "shape"], [[], "shape"], [{}, "uuid"]])("%j: %s", (value, reason) => expect(decodeRow(value)).toStrictEqual({ ok: false, reason }));
});
