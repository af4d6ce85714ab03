/** What the compiler must accept and refuse. `@ts-expect-error` fails the type check of this file when the line below it compiles. */
import { describe, expect, expectTypeOf, test } from "vitest";
import type {
  Artifact, Bundle, CustomObject, EmailMessage, ExternalReference, File, GranularMarking, Hashes, Identifier, Indicator, Location, Malware,
  MarkingDefinition, NetworkTraffic, ObjectOfType, ObservedData, PatternType, Relationship, Sighting, StixObject, Timestamp,
} from "../src/index.ts";
import { tlp } from "../src/index.ts";
import { customObject } from "./worked/meta.ts";
import { indicator, observedData, relationship } from "./worked/domain.ts";
import { files } from "./worked/observable.ts";

const versioned = { spec_version: "2.1", created: "2024-03-11T08:15:00.000Z", modified: "2024-03-11T08:15:00.000Z" } as const;
const identified = <Type extends string>(type: Type) => ({ type, id: `${type}--00000000-0000-4000-8000-000000000000` as const });

describe("identifiers and timestamps", () => {
  test("are told by their shape", () => {
    expectTypeOf<"indicator--1">().toExtend<Identifier<"indicator">>();
    expectTypeOf<Identifier<"file">>().toExtend<Identifier<"file" | "artifact">>();
    expectTypeOf<Identifier<"file">>().toExtend<Identifier>();
    expectTypeOf<Identifier>().not.toExtend<Identifier<"file">>();
    expectTypeOf<string>().not.toExtend<Identifier>();
    expectTypeOf<"2016-04-06T20:03:48Z" | "2016-04-06T20:03:48.123456Z">().toExtend<Timestamp>();
    expectTypeOf<"2016-04-06" | "2016-04-06T20:03:48+02:00" | "yesterday">().not.toExtend<Timestamp>();
    const made: Timestamp = `${2024}-${11}-${12}T08:00:00Z`;
    expect(Date.parse(made)).toBe(Date.UTC(2024, 10, 12, 8));
  });

  test("a reference names the types it may point to", () => {
    // @ts-expect-error an indicator is not an identity
    const wrong = { ...indicator, created_by_ref: indicator.id } satisfies Indicator;
    const sighted = { ...versioned, ...identified("sighting"), sighting_of_ref: indicator.id };
    // @ts-expect-error nor can it be where something was sighted
    const seen = { ...sighted, where_sighted_refs: [indicator.id] } satisfies Sighting;
    expect([wrong.type, seen.type]).toEqual(["indicator", "sighting"]);
  });
});

describe("properties", () => {
  test("required ones are missed", () => {
    // @ts-expect-error no pattern_type
    const wrong: Indicator = { ...versioned, ...identified("indicator"), pattern: "[a:b = 1]", valid_from: versioned.created };
    const { spec_version: _, ...unversioned } = relationship;
    // @ts-expect-error no spec_version
    const old: Relationship = unversioned;
    expect([wrong.pattern_type, old.spec_version]).toEqual([undefined, undefined]);
  });

  test("unknown ones are refused, custom ones accepted", () => {
    // @ts-expect-error a slip of the pen
    const wrong = { ...identified("ipv4-addr"), value: "198.51.100.1", valeu: "" } satisfies StixObject;
    // @ts-expect-error observables have no time of creation
    const dated = { ...identified("mutex"), name: "m", created: "2024-03-11T08:15:00.000Z" } satisfies StixObject;
    const fine = { ...identified("mutex"), name: "m", x_acme_score: 7, extensions: { "x-acme-ext": { seen: 1 } } } satisfies StixObject;
    expect([wrong.valeu, dated.created, fine.x_acme_score]).toEqual(["", "2024-03-11T08:15:00.000Z", 7]);
    expectTypeOf<Indicator["x_anything"]>().toEqualTypeOf<unknown>();
    expectTypeOf<Indicator & { readonly toxicity: number }>().toExtend<StixObject>();
  });

  test("are read-only and never undefined", () => {
    const change = (object: Indicator): void => {
      // @ts-expect-error read-only
      object.name = "changed";
    };
    expect(() => change(Object.freeze({ ...indicator }))).toThrow(TypeError);
    expectTypeOf<NonNullable<Indicator["labels"]>>().toEqualTypeOf<readonly string[]>();
    // @ts-expect-error leave it out instead
    const wrong = { ...indicator, description: undefined } satisfies Indicator;
    expect(wrong.description).toBeUndefined();
  });

  test("extensions say what kind they are", () => {
    const id = "extension-definition--00000000-0000-4000-8000-000000000000";
    // @ts-expect-error no extension_type
    const wrong = { ...indicator, extensions: { [id]: { rank: 1 } } } satisfies Indicator;
    // @ts-expect-error archive-ext belongs to files
    const misplaced = { ...identified("process"), pid: 1, extensions: { "archive-ext": { contains_refs: [] } } } satisfies StixObject;
    expect(Object.keys({ ...wrong.extensions, ...misplaced.extensions })).toEqual([id, "archive-ext"]);
    expectTypeOf(files[0].extensions["windows-pebinary-ext"].pe_type).toExtend<string>();
  });

  test("hashes know the algorithms and accept others", () => {
    const hashes: Hashes = { "SHA-256": "00", IMPHASH: "00" };
    // @ts-expect-error a digest is a string
    const wrong: Hashes = { MD5: 0 };
    expect([Object.keys(hashes), wrong.MD5]).toEqual([["SHA-256", "IMPHASH"], 0]);
    expectTypeOf<PatternType>().toExtend<string>();
  });
});

describe("alternatives", () => {
  test("one of two, not both", () => {
    // @ts-expect-error both
    const artifact: Artifact = { ...identified("artifact"), payload_bin: "", url: "https://a.example", hashes: {} };
    // @ts-expect-error a url without hashes
    const link: Artifact = { ...identified("artifact"), url: "https://a.example" };
    // @ts-expect-error a multipart message has no plain body
    const mail: EmailMessage = { ...identified("email-message"), is_multipart: true, body: "" };
    // @ts-expect-error both
    const marking: GranularMarking = { selectors: ["name"], lang: "en", marking_ref: tlp.red.id };
    const { object_refs: _, ...unobserved } = observedData[0];
    // @ts-expect-error neither
    const data: ObservedData = unobserved;
    expect([artifact, link, mail, marking, data]).toHaveLength(5);
  });

  test("at least one", () => {
    // @ts-expect-error neither hashes nor name
    const file: File = { ...identified("file"), size: 1 };
    // @ts-expect-error from nowhere to nowhere
    const traffic: NetworkTraffic = { ...identified("network-traffic"), protocols: ["tcp"] };
    // @ts-expect-error a latitude alone is no place
    const place: Location = { ...versioned, ...identified("location"), latitude: 1 };
    // @ts-expect-error a name alone refers to nothing
    const reference: ExternalReference = { source_name: "cve" };
    expect([file, traffic, place, reference]).toHaveLength(4);
  });

  test("a family has a name, an instance need not", () => {
    // @ts-expect-error a family without a name
    const family: Malware = { ...versioned, ...identified("malware"), is_family: true };
    const instance: Malware = { ...versioned, ...identified("malware"), is_family: false };
    expect([family.is_family, instance.is_family]).toEqual([true, false]);
    expectTypeOf<Extract<Malware, { is_family: true }>["name"]>().toEqualTypeOf<string>();
  });

  test("TLP markings are the four, with their ids", () => {
    // @ts-expect-error the id of another colour
    const wrong: MarkingDefinition = { ...tlp.red, id: tlp.green.id };
    expect(wrong.id).toBe(tlp.green.id);
  });
});

describe("StixObject", () => {
  test("is told apart by type", () => {
    const value = (object: StixObject): string | undefined => {
      switch (object.type) {
        case "indicator":
          expectTypeOf(object).toEqualTypeOf<Indicator>();
          return object.pattern;
        case "file":
          expectTypeOf(object).toExtend<File>();
          return object.name ?? object.hashes?.["SHA-256"];
        default:
          return undefined;
      }
    };
    expect([indicator, files[0], customObject].map(value)).toEqual([indicator.pattern, "invoice.exe", undefined]);
    expectTypeOf<ObjectOfType<"indicator">>().toEqualTypeOf<Indicator>();
    expectTypeOf<ObjectOfType<"malware">>().toEqualTypeOf<Malware>();
  });

  test("common properties are read without knowing the type", () => {
    const created = (object: StixObject): Timestamp | undefined => ("created" in object ? object.created : undefined);
    expect([indicator, files[0], customObject].map(created)).toEqual([indicator.created, undefined, customObject.created]);
    expectTypeOf<StixObject["object_marking_refs"]>().toEqualTypeOf<readonly Identifier<"marking-definition">[] | undefined>();
  });

  test("holds custom objects of x- types, and others by name", () => {
    type Balloon = CustomObject<"weather-balloon"> & { readonly altitude: number };
    const balloon = { ...identified("weather-balloon"), altitude: 30_000 } satisfies Balloon;
    // @ts-expect-error not without being named
    const stray: StixObject = balloon;
    const altitude = (object: StixObject<CustomObject | Balloon>): number | undefined =>
      object.type === "weather-balloon" ? object.altitude : undefined;
    // @ts-expect-error nothing custom wanted
    const strict: StixObject<never> = customObject;
    expect([altitude(balloon), altitude(customObject)]).toEqual([30_000, undefined]);
    expect([stray.type, strict.type]).toEqual(["weather-balloon", "x-hospital-ward"]);
  });

  test("a bundle may be held to some objects", () => {
    const bundle: Bundle<Indicator> = { type: "bundle", id: "bundle--1", objects: [indicator] };
    expectTypeOf(bundle).toExtend<Bundle>();
    expect(bundle.objects?.[0]?.pattern).toBe(indicator.pattern);
  });
});
