import { describe, expect, expectTypeOf, test } from "vitest";
import * as stix from "../src/index.ts";
import type { Identifier, IndicatorType, ObjectType, Open, OpinionValue, Timestamp, TlpMarking, WindowsServiceType } from "../src/index.ts";
import { bundle } from "./worked/meta.ts";

const uuid = "[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const objects = bundle.objects ?? [];

describe("object types", () => {
  test("are the 42 of the standard, each once", () => {
    expect(stix.domainObjectTypes).toHaveLength(19);
    expect(stix.observableObjectTypes).toHaveLength(18);
    expect(new Set(stix.objectTypes).size).toBe(42);
  });

  test("lists and unions agree", () => {
    expectTypeOf<(typeof stix.domainObjectTypes)[number]>().toEqualTypeOf<stix.DomainObject["type"]>();
    expectTypeOf<(typeof stix.relationshipObjectTypes)[number]>().toEqualTypeOf<stix.RelationshipObject["type"]>();
    expectTypeOf<(typeof stix.observableObjectTypes)[number]>().toEqualTypeOf<stix.ObservableObject["type"]>();
    expectTypeOf<(typeof stix.metaObjectTypes)[number]>().toEqualTypeOf<stix.MetaObject["type"]>();
    expectTypeOf<(typeof stix.objectTypes)[number]>().toEqualTypeOf<ObjectType>();
  });

  test.each(stix.objectTypes)("%s has a worked example", (type) => {
    expect(objects.filter((object) => object.type === type)).not.toEqual([]);
  });
});

describe("worked examples", () => {
  test.each(objects.map((object) => [object.id, object] as const))("%s has its own id, of its own type", (id, object) => {
    expect(id).toMatch(new RegExp(`^${object.type}--${uuid}$`));
    expect(objects.filter((other) => other.id === id)).toHaveLength(1);
  });

  test("show every predefined extension", () => {
    const named = objects.flatMap((object) => ("extensions" in object ? Object.keys(object.extensions ?? {}) : []));
    expect([...new Set(named)].filter((name) => name.endsWith("-ext")).sort()).toEqual([
      "archive-ext", "http-request-ext", "icmp-ext", "ntfs-ext", "pdf-ext", "raster-image-ext", "socket-ext", "tcp-ext", "unix-account-ext",
      "windows-pebinary-ext", "windows-process-ext", "windows-service-ext",
    ]);
  });
});

describe("vocabularies", () => {
  const lists = Object.entries<unknown>(stix).filter((entry): entry is [string, string[]] => Array.isArray(entry[1]));

  test("are the 32 of the standard, besides object and relationship types", () => {
    expect(lists.filter(([name]) => !/(?:[oO]bject|relationship)Types$/.test(name))).toHaveLength(32);
  });

  test.each(lists)("%s holds each value once, well-formed", (_, values) => {
    expect(new Set(values).size).toBe(values.length);
    expect(values.filter((value) => !/^[A-Za-z][A-Za-z0-9+#_-]*$/.test(value))).toEqual([]);
  });

  test("open ones accept other strings and know their own", () => {
    expectTypeOf<IndicatorType>().toEqualTypeOf<Open<(typeof stix.indicatorTypes)[number]>>();
    expectTypeOf<string>().toExtend<IndicatorType>();
    expectTypeOf<IndicatorType>().not.toEqualTypeOf<string>();
    expect(stix.indicatorTypes).toContain("benign" satisfies IndicatorType);
  });

  test("closed ones accept nothing else", () => {
    expectTypeOf<string>().not.toExtend<OpinionValue>();
    // @ts-expect-error not in the enumeration
    const wrong: WindowsServiceType = "SERVICE_LOADER";
    expect(stix.windowsServiceTypes).not.toContain(wrong);
  });
});

describe("tlp", () => {
  test("has the ids the standard fixes", () => {
    expectTypeOf(stix.tlp.red).toEqualTypeOf<TlpMarking<"red">>();
    expectTypeOf(stix.tlp.red.id).toExtend<Identifier<"marking-definition">>();
    expectTypeOf(stix.tlp.amber.name).toEqualTypeOf<"TLP:AMBER">();
    expect(Object.entries(stix.tlp).map(([colour, { id, name, definition }]) => [colour, id.slice(20, 28), name, definition.tlp])).toEqual([
      ["white", "613f2e26", "TLP:WHITE", "white"],
      ["green", "34098fce", "TLP:GREEN", "green"],
      ["amber", "f88d31f6", "TLP:AMBER", "amber"],
      ["red", "5e57c739", "TLP:RED", "red"],
    ]);
  });
});

describe("timestamp", () => {
  test("is UTC to the millisecond", () => {
    const text = stix.timestamp(new Date(Date.UTC(2024, 1, 29, 23, 59, 59, 7)));
    expectTypeOf(text).toEqualTypeOf<Timestamp>();
    expect(text).toBe("2024-02-29T23:59:59.007Z");
  });

  test.each([Number.NaN, Date.UTC(10_000, 0), Date.UTC(-1, 0)])("refuses %s", (time) => {
    expect(() => stix.timestamp(new Date(time))).toThrow(RangeError);
  });
});
