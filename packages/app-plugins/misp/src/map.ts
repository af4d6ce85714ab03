import { checkPattern, isThreatbusError, pointPattern } from "@threatbus/core";
import type { Identifier, Indicator, Timestamp } from "stix2-ts-types";
import type { MispAttribute, MispEvent } from "./decode.ts";
import { observablesOf } from "./observable.ts";

/** `"type"`: no mapping for the attribute's type. `"value"`: its value is none of its type. */
export type Mapped = Indicator | "type" | "value";

type Marking = Identifier<"marking-definition">;

/** TLP 1 as STIX 2.1 §7.2.1.4 defines it; what TLP 2 added as its extension definition does. */
const markings: ReadonlyMap<string, Marking> = new Map<string, Marking>([
  ["tlp:white", "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"],
  ["tlp:clear", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
  ["tlp:green", "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
  ["tlp:amber", "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
  ["tlp:amber+strict", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"],
  ["tlp:red", "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"],
]);

/** MISP taxonomy `misp:confidence-level`, in percent. */
const confidences: ReadonlyMap<string, number> = new Map([
  ['misp:confidence-level="completely-confident"', 100],
  ['misp:confidence-level="usually-confident"', 75],
  ['misp:confidence-level="fairly-confident"', 50],
  ['misp:confidence-level="rarely-confident"', 25],
  ['misp:confidence-level="unconfident"', 0],
]);

/** Characters of an indicator's name. */
const longestName = 200;

/**
 * The indicator a MISP attribute stands for. Nothing but its arguments goes in: the same attribute gives the same bytes.
 * @param event the attribute's event, whose creator becomes the indicator's
 */
export function indicatorOf(attribute: MispAttribute, event: MispEvent | undefined): Mapped {
  const made = patternOf(attribute.type, attribute.value);
  if (typeof made === "string") return made;
  const time = timestampOf(attribute.timestamp);
  const { marking, confidence, labels } = readTags(attribute);
  return {
    type: "indicator",
    spec_version: "2.1",
    id: indicatorId(attribute.uuid),
    ...(event !== undefined && event.orgc.uuid !== "" && { created_by_ref: `identity--${event.orgc.uuid}` as const }),
    created: time,
    modified: time,
    name: nameOf(attribute),
    ...(attribute.comment !== "" && { description: attribute.comment }),
    pattern: made.pattern,
    pattern_type: "stix",
    pattern_version: "2.1",
    valid_from: time,
    labels: [`misp:type="${attribute.type}"`, ...(attribute.category === "" ? [] : [`misp:category="${attribute.category}"`]), ...labels],
    ...(confidence !== undefined && { confidence }),
    external_references: [{ source_name: "misp", external_id: attribute.uuid }],
    ...(marking.length > 0 && { object_marking_refs: marking }),
  };
}

export function indicatorId(uuid: string): Identifier<"indicator"> {
  return `indicator--${uuid}`;
}

/** @param seconds since 1970-01-01 UTC */
export function timestampOf(seconds: number, milliseconds = 0): Timestamp {
  return new Date(seconds * 1_000 + milliseconds).toISOString() as Timestamp;
}

function patternOf(type: string, value: string): { readonly pattern: string } | "type" | "value" {
  try {
    if (type === "stix2-pattern") return { pattern: checked(value.trim()) };
    const observables = observablesOf(type, value);
    if (typeof observables === "string") return observables;
    return { pattern: observables.map(({ path, value: equal }) => pointPattern(path, equal)).join(" AND ") };
  } catch (thrown) {
    if (isThreatbusError(thrown, "PATTERN_INVALID")) return "value";
    throw thrown;
  }
}

/** A pattern someone else wrote: as it is, if it parses. */
function checked(pattern: string): string {
  checkPattern(pattern);
  return pattern;
}

/** Markings, confidence and labels from tags. Local tags and those not to be exported stay in MISP. */
function readTags(attribute: MispAttribute): { marking: Marking[]; confidence: number | undefined; labels: string[] } {
  const marking = new Set<Marking>();
  const labels = new Set<string>();
  const levels: number[] = [];
  for (const { name, local, exportable } of attribute.tags) {
    const mark = markings.get(name.toLowerCase());
    if (mark !== undefined) marking.add(mark);
    else if (!local && exportable) {
      labels.add(name);
      const level = confidences.get(name);
      if (level !== undefined) levels.push(level);
    }
  }
  return { marking: [...marking], confidence: levels.length === 0 ? undefined : Math.min(...levels), labels: [...labels] };
}

function nameOf({ type, value }: MispAttribute): string {
  const name = `${type}: ${value}`;
  return name.length <= longestName ? name : `${Array.from(name.slice(0, longestName)).slice(0, -1).join("")}…`;
}
