import type { Indicator } from "stix2-ts-types";
import { recent } from "../map/recent.ts";

/** A 32-bit hash (FNV-1a) of what an indicator says beside its pattern and time: enough to tell a change from a repetition. */
export function fingerprintOf({ labels, description, confidence, valid_until, created_by_ref, object_marking_refs }: Indicator): number {
  let hash = mix(offset, confidence ?? -1);
  for (const label of labels ?? []) hash = mix(hash, hashOf(label));
  // What moves from one list into the next counts.
  hash = mix(hash, labels?.length ?? 0);
  for (const mark of object_marking_refs ?? []) hash = mix(hash, hashOf(mark));
  hash = mix(hash, created_by_ref === undefined ? 0 : hashOf(created_by_ref));
  hash = mix(hash, description === undefined ? 0 : spell(description));
  hash = mix(hash, valid_until === undefined ? 0 : spell(valid_until));
  return hash >>> 0;
}

const offset = 0x811c9dc5;

/** Of what many indicators say. */
const hashOf = recent(5_000, spell);

function spell(text: string): number {
  let hash = offset;
  for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at));
  return hash;
}

function mix(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}
