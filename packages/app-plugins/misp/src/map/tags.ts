import type { Identifier } from "stix2-ts-types";
import type { MispTag } from "../decode/message.ts";

export type Marking = Identifier<"marking-definition">;

/**
 * TLP 1 as STIX 2.1 §7.2.1.4 defines it; what TLP 2 added as its extension definition
 * (extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d) does. Their order is that of the bits in which they are remembered.
 */
const tlp: readonly (readonly [tag: string, id: Marking])[] = [
  ["tlp:white", "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"],
  ["tlp:clear", "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"],
  ["tlp:green", "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],
  ["tlp:amber", "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"],
  ["tlp:amber+strict", "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"],
  ["tlp:red", "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"],
];
const markings: ReadonlyMap<string, Marking> = new Map(tlp);

/** MISP taxonomy `misp:confidence-level`, in percent. */
const confidences: ReadonlyMap<string, number> = new Map([
  ['misp:confidence-level="completely-confident"', 100],
  ['misp:confidence-level="usually-confident"', 75],
  ['misp:confidence-level="fairly-confident"', 50],
  ['misp:confidence-level="rarely-confident"', 25],
  ['misp:confidence-level="unconfident"', 0],
]);

/** What tags say about an indicator. */
export interface Said {
  readonly markings: readonly Marking[];
  /** In percent: the lowest, if several are named. */
  readonly confidence: number | undefined;
  readonly labels: readonly string[];
}

/**
 * An attribute's own TLP and confidence come before those of its event; labels come from both. Local tags, and those not to be exported,
 * become no labels unless asked for, but their TLP holds.
 */
export function readTags(own: readonly MispTag[], ofEvent: readonly MispTag[] = [], local = false): Said {
  const attribute = readList(own, local);
  if (ofEvent.length === 0) return attribute;
  const event = readList(ofEvent, local);
  return {
    markings: attribute.markings.length > 0 ? attribute.markings : event.markings,
    confidence: attribute.confidence ?? event.confidence,
    labels: [...attribute.labels, ...event.labels.filter((label) => !attribute.labels.includes(label))],
  };
}

const nothing: Said = { markings: [], confidence: undefined, labels: [] };

function readList(tags: readonly MispTag[], local: boolean): Said {
  if (tags.length === 0) return nothing;
  const marks = new Set<Marking>();
  const labels = new Set<string>();
  let confidence: number | undefined;
  for (const tag of tags) {
    const mark = markings.get(tag.name.toLowerCase());
    if (mark !== undefined) marks.add(mark);
    else if (local || (!tag.local && tag.exportable)) {
      labels.add(tag.name);
      const level = confidences.get(tag.name);
      if (level !== undefined && (confidence === undefined || level < confidence)) confidence = level;
    }
  }
  return { markings: [...marks], confidence, labels: [...labels] };
}

/** The TLP markings as six bits, and back. */
export function markingBits(ids: readonly Marking[]): number {
  return tlp.reduce((bits, [, id], place) => (ids.includes(id) ? bits | (1 << place) : bits), 0);
}

export function markingsOf(bits: number): readonly Marking[] {
  return tlp.filter((_, place) => (bits & (1 << place)) !== 0).map(([, id]) => id);
}
