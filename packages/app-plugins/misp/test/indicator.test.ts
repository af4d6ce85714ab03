import { message } from "@threatbus/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MispTag } from "../src/decode/message.ts";
import { attributeUuidOf, indicatorsOf } from "../src/map/indicator.ts";
import type { Mapped } from "../src/map/indicator.ts";
import { timestampOf } from "../src/map/time.ts";
import { creator, given, point, scaled, time, uuid } from "./sample.ts";

const indicator = (attribute: Record<string, unknown> = {}, around: Record<string, unknown> = {}) => {
  const { attribute: read, event } = given(attribute, around);
  const mapped = indicatorsOf(read, event, point);
  const [made] = typeof mapped === "string" ? [] : mapped.indicators;
  if (made === undefined) throw new Error("not mapped");
  return made;
};
const tag = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({ id: "3", name, colour: "#ffc000", exportable: true, local: false, ...more });

describe("a MISP attribute becomes an indicator", () => {
  test("with everything MISP says", () => {
    const tags = [tag("tlp:amber"), tag("misp-galaxy:threat-actor=\"X\""), tag("misp:confidence-level=\"usually-confident\"")];
    expect(indicator({ comment: "seen twice", Tag: tags })).toStrictEqual({
      type: "indicator",
      spec_version: "2.1",
      id: `indicator--${uuid}`,
      created_by_ref: `identity--${creator}`,
      created: "2024-09-16T18:34:43.000Z",
      modified: "2024-09-16T18:34:43.000Z",
      name: "ip-dst: 198.51.100.7",
      description: "seen twice",
      pattern: "[ipv4-addr:value = '198.51.100.7']",
      pattern_type: "stix",
      pattern_version: "2.1",
      valid_from: "2024-09-16T18:34:43.000Z",
      labels: ['misp:type="ip-dst"', 'misp:category="Network activity"', 'misp-galaxy:threat-actor="X"', 'misp:confidence-level="usually-confident"'],
      confidence: 75,
      external_references: [{ source_name: "misp", external_id: uuid }],
      object_marking_refs: ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
    });
  });

  test("the bus takes it", () => {
    expect(message(indicator({ Tag: [tag("tlp:red")] })).topic).toBe("stix2/indicator");
  });

  test("without event, comment and tags: without creator, description, confidence and markings", () => {
    expect(Object.keys(indicator({}, { Event: undefined }))).toStrictEqual([
      "type", "spec_version", "id", "created", "modified", "name", "pattern", "pattern_type", "valid_from", "labels", "external_references", "pattern_version",
    ]);
  });

  test("the lowest of several confidence levels counts", () => {
    const levels = ["completely-confident", "rarely-confident", "fairly-confident"].map((level) => tag(`misp:confidence-level="${level}"`));
    expect(indicator({ Tag: levels }).confidence).toBe(25);
    expect(indicator({ Tag: [tag('misp:confidence-level="unconfident"')] }).confidence).toBe(0);
  });

  test.each([
    ["tlp:white", "613f2e26-407d-48c7-9eca-b8e91df99dc9"], ["tlp:clear", "94868c89-83c2-464b-929b-a1a8aa3c8487"], ["TLP:GREEN", "34098fce-860f-48ae-8e50-ebd3cc5e41da"],
    ["tlp:amber", "f88d31f6-486f-44da-b317-01333bde0b82"], ["tlp:amber+strict", "939a9414-2ddd-4d32-a0cd-375ea402b003"], ["tlp:red", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"],
  ])("%s marks", (name, id) => {
    const marked = indicator({ Tag: [tag(name)] });
    expect(marked.object_marking_refs).toStrictEqual([`marking-definition--${id}`]);
    expect(marked.labels).toHaveLength(2);
  });

  test("local tags and those not for export stay in MISP, but their TLP holds", () => {
    const tags = [tag("mine", { local: "1" }), tag("inner", { exportable: 0 }), tag("shared"), tag("tlp:red", { local: true })];
    const made = indicator({ Tag: tags });
    expect(made.labels?.slice(2)).toStrictEqual(["shared"]);
    expect(made.object_marking_refs).toHaveLength(1);
  });

  test("a long value is cut in the name, not in the pattern, and never through a character", () => {
    const value = `http://evil.example/${"😀".repeat(300)}`;
    const made = indicator({ type: "url", value });
    expect(made.pattern).toBe(`[url:value = '${value}']`);
    expect(made.name).toMatch(/^url: http:\/\/evil\.example\/(?:😀)+…$/u);
    expect(made.name?.length).toBeLessThanOrEqual(200);
  });

  test("without tags of a kind of its own, the event's count; labels come from both", () => {
    const { attribute, event } = given({ Tag: [tag("own"), tag("shared")] });
    const tags = [tag("TLP:RED"), tag("shared"), tag("of the event"), tag('misp:confidence-level="fairly-confident"'), tag("kept", { local: true })].map((one) => ({ local: false, exportable: true, ...one })) as unknown as MispTag[];
    const [made] = all(indicatorsOf(attribute, event && { ...event, tags }, point));
    expect(made).toMatchObject({ object_marking_refs: ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"], confidence: 50 });
    expect(made?.labels?.slice(2)).toStrictEqual(["own", "shared", "of the event", 'misp:confidence-level="fairly-confident"']);
    const stronger = given({ Tag: [tag("tlp:green"), tag('misp:confidence-level="unconfident"')] });
    const [ours] = all(indicatorsOf(stronger.attribute, event && { ...event, tags }, point));
    expect(ours).toMatchObject({ object_marking_refs: ["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"], confidence: 0 });
  });

  test("local tags become labels if asked for", () => {
    const { attribute, event } = given({ Tag: [tag("mine", { local: true }), tag("inner", { exportable: false })] });
    expect(all(indicatorsOf(attribute, event, { ...point, local_tags: true }))[0]?.labels?.slice(2)).toStrictEqual(["mine", "inner"]);
  });

  test("points to its event where MISP is", () => {
    const { attribute, event } = given();
    const [made] = all(indicatorsOf(attribute, event, { ...point, base: "https://misp.example" }));
    expect(made?.external_references).toStrictEqual([{ source_name: "misp", url: "https://misp.example/events/view/59b8114b-1c80-4149-be3a-03e9c0a83800", external_id: uuid }]);
    expect(all(indicatorsOf(attribute, undefined, { ...point, base: "https://misp.example" }))[0]?.external_references).toStrictEqual([{ source_name: "misp", external_id: uuid }]);
  });

  test("ends when MISP says that it expires", () => {
    const { attribute } = given({ Sighting: [{ type: "2", date_sighting: String(time + 3_600) }] });
    expect(all(indicatorsOf(attribute, undefined, point))[0]?.valid_until).toBe("2024-09-16T19:34:43.000Z");
    expect(all(indicatorsOf(given({ Sighting: [{ type: "2", date_sighting: String(time) }] }).attribute, undefined, point))[0]).not.toHaveProperty("valid_until");
  });

  test("both halves of a split one lead back to the attribute", () => {
    const { attribute, event } = given({ type: "domain|ip", value: "evil.example|198.51.100.7" });
    const halves = all(indicatorsOf(attribute, event, { ...point, compound: "split" }));
    expect(halves.map(({ name }) => name)).toStrictEqual(["domain|ip: evil.example", "domain|ip: 198.51.100.7"]);
    expect(halves.map((half) => attributeUuidOf(half.id, half))).toStrictEqual([uuid, uuid]);
    expect(halves[1]?.id).toMatch(/^indicator--[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(attributeUuidOf(halves[0]?.id ?? "")).toBe(uuid);
    expect([attributeUuidOf("note--x"), attributeUuidOf(`indicator--${uuid}`, { external_references: [{ source_name: "other", external_id: "x" }] })]).toStrictEqual([undefined, uuid]);
  });

  test("a rule comes as text too, if asked for", () => {
    const rules = { ...point, rule_topics: true };
    const sigma = "title: t\ndetection: {}";
    expect([["sigma", sigma], ["yara", "rule a { condition: true }"], ["snort", "alert"]].map(([type, value]) => {
      const mapped = indicatorsOf(given({ type, value }).attribute, undefined, rules);
      return typeof mapped === "string" ? mapped : mapped.rule;
    })).toStrictEqual([{ topic: "sigma/rule", text: sigma }, { topic: "yara/rule", text: "rule a { condition: true }" }, undefined]);
    for (const rule of [indicatorsOf(given({ type: "sigma", value: sigma }).attribute, undefined, rules)]) if (typeof rule !== "string" && rule.rule) expect(message(rule.rule.topic, rule.rule.text).topic).toBe("sigma/rule");
    expect(indicatorsOf(given({ type: "sigma", value: sigma }).attribute, undefined, point)).not.toHaveProperty("rule");
  });
});

describe("times", () => {
  test("are written as the standard library does", () => {
    fc.assert(fc.property(fc.oneof(fc.nat(253_402_300_799), fc.integer({ min: time - 200_000, max: time + 200_000 })), fc.nat(999), (seconds, milliseconds) => {
      expect(timestampOf(seconds, milliseconds)).toBe(new Date(seconds * 1_000 + milliseconds).toISOString());
    }), { numRuns: scaled(1_000) });
  });
});

function all(mapped: Mapped | "type" | "value"): Mapped["indicators"] {
  if (typeof mapped === "string") throw new Error(mapped);
  return mapped.indicators;
}
