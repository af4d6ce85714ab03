import type { Indicator } from "stix2-ts-types";

/** A 32-bit hash (FNV-1a) of what an indicator says beside its pattern: enough to tell a change from a repetition. */
export function fingerprintOf(indicator: Indicator): number {
  const { modified, name, description, confidence, created_by_ref, valid_until } = indicator;
  let hash = 0x811c9dc5;
  for (const part of [modified, name, description, valid_until, created_by_ref, confidence?.toString()]) hash = mix(hash, part ?? "");
  for (const label of indicator.labels ?? []) hash = mix(hash, label);
  for (const mark of indicator.object_marking_refs ?? []) hash = mix(hash, mark);
  return hash >>> 0;
}

/** Ends each text with a unit that is in none, so that what moves from one into the next counts. */
function mix(start: number, text: string): number {
  let hash = start;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return Math.imul(hash ^ 0xffff, 0x01000193);
}
