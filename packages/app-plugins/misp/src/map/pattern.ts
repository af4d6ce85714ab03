import { checkPattern, isThreatbusError, maxPatternLength, quote } from "@threatbus/core";
import { mappingOf, mappings, ruleTypes } from "./types.ts";
import type { Mapping } from "./types.ts";
import type { Parts } from "./values.ts";
import type { MappingOptions } from "./options.ts";

/** `stix`, or a language of rules: STIX 2.1 §10.12. */
export type PatternType = "stix" | (typeof ruleTypes)[number];

/** What an attribute looks for: one pattern, or two that are indicators of their own. */
export interface Patterns {
  readonly type: PatternType;
  readonly patterns: readonly [string] | readonly [string, string];
}

const languages: ReadonlySet<string> = new Set(ruleTypes);

/** `"type"`: no mapping for the attribute's type. `"value"`: its value is none of its type. */
export function patternsOf(type: string, given: string, { profile, compound }: Pick<MappingOptions, "profile" | "compound">): Patterns | "type" | "value" {
  const value = given.trim();
  if (value === "") return isMapped(type, profile) ? "value" : "type";
  if (languages.has(type)) return { type: type as PatternType, patterns: [value] };
  if (type === "stix2-pattern") return isPattern(value) ? { type: "stix", patterns: [value] } : "value";
  const mapping = mappingOf(type, value);
  const template = profile === "point" ? mapping?.point : mapping?.exact;
  if (mapping === undefined || template === undefined) return "type";
  const parts = mapping.read(value);
  if (parts === undefined) return "value";
  const patterns = compound === "split" && mapping.split !== undefined ? ([fill(mapping.split[0], parts), fill(mapping.split[1], parts)] as const) : ([fill(template, parts)] as const);
  return patterns.every((pattern) => pattern.length <= maxPatternLength) ? { type: "stix", patterns } : "value";
}

/** Whether attributes of this type become indicators, rules and patterns of others among them. */
export function isMapped(type: string, profile: MappingOptions["profile"]): boolean {
  const mapping: Mapping | undefined = mappings.get(type);
  return languages.has(type) || type === "stix2-pattern" || (profile === "point" ? mapping?.point : mapping?.exact) !== undefined;
}

/** A pattern someone else wrote stays as it is, if it parses. */
function isPattern(text: string): boolean {
  try {
    checkPattern(text);
    return true;
  } catch (thrown) {
    if (isThreatbusError(thrown, "PATTERN_INVALID")) return false;
    throw thrown;
  }
}

/** Templates cut at their placeholders, each kept: there are about a hundred. */
const cuts = new Map<string, readonly string[]>();

/** Puts a value into a template: text quoted and escaped, whole numbers as they are. */
function fill(template: string, parts: Parts): string {
  let pieces = cuts.get(template);
  if (pieces === undefined) cuts.set(template, (pieces = template.split(/\{(1|2|family)\}/)));
  let pattern = pieces[0] ?? "";
  for (let at = 1; at < pieces.length; at += 2) pattern += `${literal(parts, pieces[at])}${pieces[at + 1]}`;
  return pattern;
}

function literal(parts: Parts, name: string | undefined): string {
  if (name === "family") return parts.family ?? "";
  const value = name === "1" ? parts[1] : (parts[2] ?? "");
  return typeof value === "number" ? String(value) : quote(value);
}
