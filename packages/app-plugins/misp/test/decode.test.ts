import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, decodeRow } from "../src/decode/decode.ts";
import { splitFrame } from "../src/receive.ts";
import { bytes, creator, given, scaled, time, uuid, written } from "./sample.ts";

const reasonOf = (payload: Uint8Array): string => {
  const decoded = decode(payload);
  return decoded.ok ? "taken" : decoded.reason;
};

describe("the decoder takes every form MISP writes", () => {
  test("the normal one", () => {
    expect(given({ comment: "c", Tag: [{ id: "3", name: "tlp:amber", colour: "#ffc000", exportable: true, local: false }] })).toStrictEqual({
      kind: "attribute",
      action: "add",
      attribute: {
        id: "164363", uuid, type: "ip-dst", value: "198.51.100.7", category: "Network activity", comment: "c", toIds: true, deleted: false, timestamp: time, eventId: "625",
        tags: [{ name: "tlp:amber", local: false, exportable: true }],
      },
      event: { id: "625", uuid: "59b8114b-1c80-4149-be3a-03e9c0a83800", orgc: { id: "2", uuid: creator, name: "CIRCL" } },
    });
  });

  test.each([true, 1, "1"])("to_ids %j is on", (to_ids) => expect(given({ to_ids }).attribute.toIds).toBe(true));
  test.each([false, 0, "0"])("to_ids %j is off", (to_ids) => expect(given({ to_ids }).attribute.toIds).toBe(false));
  test.each([true, 1, "1"])("deleted %j", (deleted) => expect(given({ deleted }).attribute.deleted).toBe(true));
  test.each([false, 0, "0", undefined, null])("deleted %j: not", (deleted) => expect(given({ deleted }).attribute.deleted).toBe(false));
  test.each([time, String(time)])("timestamp %j", (timestamp) => expect(given({ timestamp }).attribute.timestamp).toBe(time));
  test("integers for ids", () => {
    const message = given({ id: 164363, event_id: 625 }, { Event: { id: 625, orgc_id: 2, org_id: 1 } });
    expect([message.attribute.eventId, message.event?.orgc.id]).toStrictEqual(["625", "2"]);
  });
  test.each([
    ["a list", [{ name: "a" }, { name: "b" }]],
    ["an object with numeric keys", { 0: { name: "a" }, 2: { name: "b" } }],
    ["AttributeTag rows", [{ id: "1", Tag: { name: "a" } }, { Tag: { name: "b", org_id: false, user_id: false } }]],
    ["a list with junk", [null, 7, "x", { name: "a" }, [], { name: "" }, { name: "b" }]],
  ])("tags as %s", (_, Tag) => expect(given({ Tag }).attribute.tags.map(({ name }) => name)).toStrictEqual(["a", "b"]));
  test.each([undefined, null, "x", 7, {}, []])("Tag %j: none", (Tag) => expect(given({ Tag }).attribute.tags).toStrictEqual([]));
  test.each([["625", "625"], [625, "625"], [undefined, undefined], [null, undefined], [[], undefined]])("Event %j", (Event, id) => expect(given({}, { Event }).event?.id).toBe(id));
  test("the creator beside the event", () => expect(given({}, { Event: { id: "1" }, Orgc: { id: "2", name: "CIRCL", uuid: creator } }).event?.orgc).toStrictEqual({ id: "2", name: "CIRCL", uuid: creator }));
  test("no action: an old MISP's add", () => expect(given({}, { action: undefined }).action).toBe("add"));
  test("value1 and value2 without value", () => {
    expect(given({ type: "domain|ip", value: undefined, value1: "evil.example", value2: "198.51.100.7" }).attribute.value).toBe("evil.example|198.51.100.7");
    expect(given({ value: undefined }).attribute.value).toBe("198.51.100.7");
  });
  test("an upper-case uuid", () => expect(given({ uuid: uuid.toUpperCase() }).attribute.uuid).toBe(uuid));
  test("null comment and category", () => expect(given({ comment: null, category: null }).attribute).toMatchObject({ comment: "", category: "" }));
  test("escapes as PHP writes them", () => {
    const payload = Buffer.from(JSON.stringify(written({ type: "url", value: "SLOT" })).replace("SLOT", "http:\\/\\/b\\u00fccher.example\\/"));
    expect(decode(payload)).toMatchObject({ message: { attribute: { value: "http://bücher.example/" } } });
  });
});

describe("the decoder refuses with a reason", () => {
  test.each([
    ["json", Buffer.from("")], ["json", Buffer.from("{")], ["json", Buffer.from('{"Attribute": }')], ["utf8", Buffer.from([0x7b, 0xff, 0x7d])], ["utf8", Buffer.from('{"a":"\\ud800"}')],
    ["json", Buffer.from("[".repeat(100_000))], ["depth", Buffer.from("[".repeat(100_000) + "]".repeat(100_000))], ["depth", Buffer.from(`{"a":${"[".repeat(64)}${"]".repeat(64)}}`)],
    ["shape", Buffer.from(`{"a":${"[".repeat(63)}${"]".repeat(63)}}`)], ["shape", Buffer.from(`{"Attribute":"${"[".repeat(100)}\\"["}`)],
    ["size", Buffer.alloc(16 * 1024 * 1024 + 1, " ")], ["shape", Buffer.from("[]")], ["shape", Buffer.from("null")], ["shape", Buffer.from('"x"')],
    ["shape", bytes({ Event: {} })], ["shape", bytes({ Attribute: [] })], ["shape", bytes({ Attribute: "1" })],
    ["shape", bytes(written({ value: undefined, value1: undefined }))], ["shape", bytes(written({ value: {} , value1: "" }))], ["shape", bytes(written({ deleted: "maybe" }))],
    ["action", bytes(written({}, { action: "explode" }))], ["action", bytes(written({}, { action: {} }))],
    ["uuid", bytes(written({ uuid: undefined }))], ["uuid", bytes(written({ uuid: "1234" }))], ["uuid", bytes(written({ uuid: `${uuid}' OR 1` }))],
    ["to_ids", bytes(written({ to_ids: undefined }))], ["to_ids", bytes(written({ to_ids: "yes" }))], ["to_ids", bytes(written({ to_ids: null }))],
    ...[undefined, null, "", "now", -1, 1.5, 1e99, "1e99", "-1", "253402300800", 253_402_300_800, {}].map((timestamp): [string, Uint8Array] => ["timestamp", bytes(written({ timestamp }))]),
  ])("%s", (reason, payload) => expect(reasonOf(payload)).toBe(reason));

  test("a type that is not text", () => {
    const message = written();
    (message["Attribute"] as Record<string, unknown>)["type"] = { toString: 1 };
    expect(reasonOf(bytes(message))).toBe("shape");
  });
});

describe("whatever comes", () => {
  const poison = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
  const known = [
    "Attribute", "Event", "Tag", "Orgc", "action", "uuid", "to_ids", "deleted", "timestamp", "type", "value", "name", "id", "Object", "EventTag", "AttributeTag", "Sighting", "Server",
    "date_sighting", "source", "attribute_id", "event_id", "inherited", "published", "publish_timestamp", "ShadowAttribute", "0", "1",
  ];
  const words = fc.constantFrom<unknown>("add", "edit", "delete", "publish", "unpublish", "attached to event", "1", 1, "0", 0, true, false, null, time, String(time), uuid, "", {}, []);
  const tree = fc.letrec((tie) => ({
    node: fc.oneof({ depthSize: "small" }, words, fc.jsonValue(), fc.array(tie("node"), { maxLength: 4 }), fc.dictionary(fc.constantFrom(...known, ...poison), tie("node"), { maxKeys: 8 })),
  })).node;

  test("bytes are decoded or refused, nothing is thrown", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => void decode(payload)), { numRuns: scaled(2_000) });
  });

  test("JSON is decoded or refused, and no prototype changes", () => {
    const before = [Object.prototype, Array.prototype, Function.prototype].map((prototype) => Reflect.ownKeys(prototype).length);
    fc.assert(fc.property(tree, fc.constantFrom(...poison), (value, key) => {
      const text = JSON.stringify(value) ?? "null";
      decode(Buffer.from(text));
      decode(Buffer.from(`{"${key}":${text},"Attribute":{"${key}":${text}}}`));
      decode(Buffer.from(JSON.stringify(written({}, { Event: value }))));
      decode(Buffer.from(JSON.stringify(written({ Tag: value, comment: value, Sighting: value }))));
      for (const root of [{ Event: value }, { Event: { id: "1", Attribute: value, Object: value, Tag: value } }, { Event: { id: "1" }, Attribute: value, Object: [{ Attribute: value }], action: "publish" }, { Sighting: value }, { Tag: value, action: value }]) {
        const decoded = decode(Buffer.from(JSON.stringify(root)));
        if (decoded.ok) expect(["published", "event", "sighting", "tag", "attribute"]).toContain(decoded.message.kind);
      }
      decodeRow(value);
      decodeRow({ ...(written()["Attribute"] as object), Event: value, Tag: value });
    }), { numRuns: scaled(2_000) });
    expect([Object.prototype, Array.prototype, Function.prototype].map((prototype) => Reflect.ownKeys(prototype).length)).toStrictEqual(before);
  });

  test("an event that stands in many messages means the same in each as in one that is parsed as a whole", () => {
    const json = (...values: unknown[]) => fc.constantFrom(...values.map((value) => JSON.stringify(value)));
    const attribute = json(...[{}, { comment: ',"Event":{' }, { type: "url", value: "http://x/\\" }, { uuid: "1" }, { Event: { id: "1" } }].map((fields) => written(fields)["Attribute"]));
    const event = json(...["625", "626", 7].map((id) => ({ id, Orgc: { id: "2", name: id } })), { id: "1", Tag: [{ name: "tlp:red" }] }, {}, { Event: { id: "8" } }, { Attribute: {} });
    const members = [
      '"action":"edit"', '"action":1', '"Attribute":{}', `"Attribute":${JSON.stringify(written()["Attribute"])}`, '"Event":{"id":"9"}', '"Orgc":{"id":"3","name":"beside"}',
      '"EventTag":[{"name":"tlp:amber"}]', '"__proto__":1', '"Sighting":{}', '"\\"":1', "}", "{", '"', ",", "\\",
    ];
    const before = fc.constantFrom("", "", "", " ", "\ufeff", ...members.map((member) => `${member},`));
    const behind = fc.constantFrom("", "", "", " ", ...members.map((member) => `,${member}`));
    const message = fc.tuple(before, attribute, behind, event, behind, behind).map(([first, one, next, its, then, last]) => `{${first}"Attribute":${one}${next},"Event":${its}${then}}${last === " " ? " " : ""}`);
    let taken = 0;
    fc.assert(fc.property(fc.array(message, { minLength: 1, maxLength: 4 }), (messages) => {
      for (const text of [...messages, ...messages]) {
        const decoded = decode(Buffer.from(text));
        if (decoded.ok) taken++;
        // With a blank it is none of those that are taken apart.
        expect(decoded).toStrictEqual(decode(Buffer.from(text.replaceAll(',"Event":{', ', "Event":{'))));
      }
    }), { numRuns: scaled(2_000) });
    expect(taken).toBeGreaterThan(scaled(300));
  });

  test("__proto__ is refused wherever it stands", () => {
    expect(reasonOf(Buffer.from(`{"__proto__":${JSON.stringify(written())}}`))).toBe("keys");
    expect(reasonOf(Buffer.from(`{"Attribute":{"__proto__":${JSON.stringify(written()["Attribute"])}}}`))).toBe("keys");
  });

  test("a real message with bytes changed is decoded or refused", () => {
    const whole = bytes(written({ Tag: [{ name: "tlp:amber" }] }));
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), fc.nat(whole.length), (changes, end) => {
      const mutant = Uint8Array.from(whole);
      for (const [at, byte] of changes) mutant[at] = byte;
      decode(mutant);
      decode(mutant.subarray(0, end));
    }), { numRuns: scaled(2_000) });
  });

  test("every well-formed attribute comes out as it went in", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 });
    fc.assert(fc.property(fc.uuid(), text, text, fc.boolean(), fc.nat(), (id, type, value, on, timestamp) => {
      expect(given({ uuid: id, type, value, to_ids: on, timestamp }).attribute).toMatchObject({ uuid: id, type, value, toIds: on, timestamp });
    }), { numRuns: scaled(300) });
  });
});

describe("a frame is cut at its first blank", () => {
  test("the rest stays whole", () => {
    const cut = splitFrame(Buffer.from('misp_json_attribute {"a": " "}'));
    expect([cut?.topic, Buffer.from(cut?.payload ?? []).toString()]).toStrictEqual(["misp_json_attribute", '{"a": " "}']);
  });
  test.each(["", " {}", "misp_json_attribute", "misp_json_attribute{}", "misp\n {}", "m\u00fc {}", `${"x".repeat(300)} {}`])("%j is no frame", (text) => {
    expect(splitFrame(Buffer.from(text))).toBeUndefined();
  });
});
