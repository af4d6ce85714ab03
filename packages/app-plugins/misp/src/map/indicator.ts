import { createHash } from "node:crypto";
import type { ExternalReference, Identifier, Indicator, Timestamp } from "stix2-ts-types";
import type { MispAttribute, MispEvent } from "../decode/message.ts";
import type { MappingOptions } from "./options.ts";
import { patternsOf } from "./pattern.ts";
import { readTags } from "./tags.ts";

export interface Mapped {
  /** One, or two for a compound attribute that is split. */
  readonly indicators: readonly Indicator[];
  /** The same as text, for those who subscribe to rules. */
  readonly rule?: Rule;
}

export interface Rule {
  readonly topic: "sigma/rule" | "yara/rule";
  readonly text: string;
}

/** Characters of an indicator's name. */
const longestName = 200;

/**
 * What a MISP attribute asks to look for. Nothing but its arguments goes in: the same attribute gives the same bytes. `"type"`: no mapping
 * for its type. `"value"`: its value is none of its type.
 * @param event the attribute's, whose creator, and tags where the attribute has none of their kind, become the indicator's
 */
export function indicatorsOf(attribute: MispAttribute, event: MispEvent | undefined, options: MappingOptions): Mapped | "type" | "value" {
  const found = patternsOf(attribute.type, attribute.value, options);
  if (typeof found === "string") return found;
  const { type, patterns } = found;
  const time = timestampOf(attribute.timestamp);
  const said = readTags(attribute.tags, event?.tags, options.local_tags);
  const expires = attribute.expires !== undefined && attribute.expires > attribute.timestamp ? timestampOf(attribute.expires) : undefined;
  const labels = [`misp:type="${attribute.type}"`];
  if (attribute.category !== "") labels.push(`misp:category="${attribute.category}"`);
  labels.push(...said.labels);
  const reference = referenceOf(attribute.uuid, event, options.base);
  const indicators = patterns.map((pattern, half): Indicator => ({
    type: "indicator",
    spec_version: "2.1",
    id: indicatorId(attribute.uuid, half),
    ...(event !== undefined && event.orgc.uuid !== "" && { created_by_ref: `identity--${event.orgc.uuid}` as const }),
    created: time,
    modified: time,
    name: nameOf(attribute, patterns.length > 1 ? half : undefined),
    ...(attribute.comment !== "" && { description: attribute.comment }),
    pattern,
    pattern_type: type,
    ...(type === "stix" && { pattern_version: "2.1" }),
    valid_from: time,
    ...(expires !== undefined && { valid_until: expires }),
    labels,
    ...(said.confidence !== undefined && { confidence: said.confidence }),
    external_references: [reference],
    ...(said.markings.length > 0 && { object_marking_refs: said.markings }),
  }));
  if (options.rule_topics && (type === "sigma" || type === "yara")) return { indicators, rule: { topic: `${type}/rule`, text: patterns[0] } };
  return { indicators };
}

/** @param half of a split attribute: the first keeps the attribute's UUID, the second has a UUIDv5 made of it (RFC 9562 §5.5) */
export function indicatorId(uuid: string, half = 0): Identifier<"indicator"> {
  return `indicator--${half === 0 ? uuid : secondOf(uuid)}`;
}

/**
 * The attribute an indicator stands for, as its reference to MISP says, else as its id does. Ids of others' indicators look the same:
 * MISP knows whether it has such an attribute.
 */
export function attributeUuidOf(id: string, indicator?: { readonly external_references?: readonly ExternalReference[] }): string | undefined {
  const reference = indicator?.external_references?.find(({ source_name, external_id }) => source_name === sourceName && external_id !== undefined);
  if (reference !== undefined) return reference.external_id;
  return id.startsWith("indicator--") ? id.slice("indicator--".length) : undefined;
}

/** @param seconds since 1970-01-01 UTC */
export function timestampOf(seconds: number, milliseconds = 0): Timestamp {
  return new Date(seconds * 1_000 + milliseconds).toISOString() as Timestamp;
}

const sourceName = "misp";

/** @param event with a UUID, and `base`: where people find it */
export function referenceOf(uuid: string, event?: MispEvent, base?: string): ExternalReference {
  const url = base !== undefined && event !== undefined && event.uuid !== "" ? `${base}/events/view/${event.uuid}` : undefined;
  return { source_name: sourceName, ...(url !== undefined && { url }), external_id: uuid };
}

function secondOf(uuid: string): string {
  const digest = createHash("sha1").update(Buffer.from(uuid.replaceAll("-", ""), "hex")).update("value2").digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function nameOf({ type, value }: MispAttribute, half: number | undefined): string {
  const name = `${type}: ${half === undefined ? value : value.split("|")[half]}`;
  return name.length <= longestName ? name : `${Array.from(name.slice(0, longestName)).slice(0, -1).join("")}…`;
}
