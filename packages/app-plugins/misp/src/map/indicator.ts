import { createHash } from "node:crypto";
import type { ExternalReference, Identifier, Indicator } from "stix2-ts-types";
import type { MispAttribute, MispEvent } from "../decode/message.ts";
import type { MappingOptions } from "./options.ts";
import { patternsOf } from "./pattern.ts";
import type { PatternType } from "./pattern.ts";
import { recent } from "./recent.ts";
import { readTags } from "./tags.ts";
import { timestampOf } from "./time.ts";

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
  const indicators = patterns.map((pattern, half) => indicatorFor(attribute, event, options, pattern, type, patterns.length > 1 ? half : undefined));
  if (options.rule_topics && (type === "sigma" || type === "yara")) return { indicators, rule: { topic: `${type}/rule`, text: patterns[0] } };
  return { indicators };
}

/** Built up property by property: it is made for every message, and spreading takes several times as long. */
function indicatorFor(attribute: MispAttribute, event: MispEvent | undefined, options: MappingOptions, pattern: string, type: PatternType, half: number | undefined): Indicator {
  const time = timestampOf(attribute.timestamp);
  const { labels, confidence, markings } = readTags(attribute.tags, event?.tags, options.local_tags);
  const made: { -readonly [Property in keyof Indicator]: Indicator[Property] } = {
    type: "indicator",
    spec_version: "2.1",
    id: indicatorId(attribute.uuid, half),
    created: time,
    modified: time,
    name: nameOf(attribute, half),
    pattern,
    pattern_type: type,
    valid_from: time,
    labels: attribute.category === "" ? [typeLabel(attribute.type), ...labels] : [typeLabel(attribute.type), categoryLabel(attribute.category), ...labels],
    external_references: [referenceOf(attribute.uuid, event, options.base)],
  };
  if (event !== undefined && event.orgc.uuid !== "") made.created_by_ref = creatorOf(event.orgc.uuid);
  if (attribute.comment !== "") made.description = attribute.comment;
  if (type === "stix") made.pattern_version = "2.1";
  if (attribute.expires !== undefined && attribute.expires > attribute.timestamp) made.valid_until = timestampOf(attribute.expires);
  if (confidence !== undefined) made.confidence = confidence;
  if (markings.length > 0) made.object_marking_refs = markings;
  return made;
}

const typeLabel = recent(500, (type) => `misp:type="${type}"`);
const categoryLabel = recent(500, (category) => `misp:category="${category}"`);
const creatorOf = recent(1_000, (uuid): Identifier<"identity"> => `identity--${uuid}`);

/** @param half of a split attribute: the first keeps the attribute's UUID, the second has a UUIDv5 made of it (RFC 9562 §5.5) and "value2" */
export function indicatorId(uuid: string, half = 0): Identifier<"indicator"> {
  return `indicator--${half === 0 ? uuid : secondUuid(uuid)}`;
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

const sourceName = "misp";

/** @param event with a UUID, and `base`: where people find it */
export function referenceOf(uuid: string, event?: MispEvent, base?: string): ExternalReference {
  const url = base !== undefined && event !== undefined && event.uuid !== "" ? `${base}/events/view/${event.uuid}` : undefined;
  return { source_name: sourceName, ...(url !== undefined && { url }), external_id: uuid };
}

/** Of a split attribute's second half. */
export function secondUuid(uuid: string): string {
  const digest = createHash("sha1").update(Buffer.from(uuid.replaceAll("-", ""), "hex")).update("value2").digest();
  digest[6] = ((digest[6] ?? 0) & 0x0f) | 0x50;
  digest[8] = ((digest[8] ?? 0) & 0x3f) | 0x80;
  return digest.toString("hex", 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function nameOf({ type, value }: MispAttribute, half: number | undefined): string {
  const name = `${type}: ${half === undefined ? value : value.split("|")[half]}`;
  return name.length <= longestName ? name : `${Array.from(name.slice(0, longestName)).slice(0, -1).join("")}…`;
}
