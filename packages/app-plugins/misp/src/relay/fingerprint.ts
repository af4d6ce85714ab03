import type { Indicator } from "stix2-ts-types";

/** A 32-bit hash (FNV-1a) of what an indicator says beside its pattern and time: enough to tell a change from a repetition. */
export function fingerprintOf({ labels, description, confidence, valid_until, created_by_ref, object_marking_refs }: Indicator): number {
  let hash = mix(0x811c9dc5, confidence ?? -1);
  if (labels !== undefined) for (const label of labels) hash = spell(hash, label);
  if (object_marking_refs !== undefined) for (const mark of object_marking_refs) hash = spell(hash, mark);
  for (const part of [description, valid_until, created_by_ref]) hash = spell(hash, part ?? "");
  return hash >>> 0;
}

/** Ends each text with a unit that is in none, so that what moves from one into the next counts. */
function spell(start: number, text: string): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = mix(hash, text.charCodeAt(at));
  return mix(hash, 0x1_0000);
}

function mix(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, 0x01000193);
}
