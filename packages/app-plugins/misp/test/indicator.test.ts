import { message } from "@threatbus/core";
import { describe, expect, test } from "vitest";
import { indicatorsOf } from "../src/map/indicator.ts";
import { creator, given, point, uuid } from "./sample.ts";

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
      "type", "spec_version", "id", "created", "modified", "name", "pattern", "pattern_type", "pattern_version", "valid_from", "labels", "external_references",
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
});
