/** Relationship objects: STIX 2.1 §5. */
import type { DomainProperties, Identifier, Open, Timestamp } from "./common.ts";

/** The relationships the standard names, common ones first. STIX 2.1 §3.7 and Appendix B. */
export const relationshipTypes = [
  "derived-from", "duplicate-of", "related-to",
  "analysis-of", "attributed-to", "authored-by", "av-analysis-of", "based-on", "beacons-to", "belongs-to", "characterizes",
  "communicates-with", "compromises", "consists-of", "controls", "delivers", "downloads", "drops", "dynamic-analysis-of",
  "exfiltrates-to", "exploits", "has", "hosts", "impersonates", "indicates", "investigates", "located-at", "mitigates",
  "originates-from", "owns", "remediates", "resolves-to", "static-analysis-of", "targets", "uses", "variant-of",
] as const;
export type RelationshipType = Open<(typeof relationshipTypes)[number]>;

/** A directed link: source, type, target. STIX 2.1 §5.1. */
export interface Relationship extends DomainProperties<"relationship"> {
  readonly relationship_type: RelationshipType;
  readonly description?: string;
  /** A domain or observable object, not a relationship, bundle, or meta object. */
  readonly source_ref: Identifier;
  readonly target_ref: Identifier;
  readonly start_time?: Timestamp;
  /** Later than `start_time`. */
  readonly stop_time?: Timestamp;
}

/** Something, mostly an indicator or malware, was seen. STIX 2.1 §5.2. */
export interface Sighting extends DomainProperties<"sighting"> {
  readonly description?: string;
  readonly first_seen?: Timestamp;
  /** Not earlier than `first_seen`. */
  readonly last_seen?: Timestamp;
  /** 0 to 999,999,999. Left out: unknown. */
  readonly count?: number;
  /** The domain object seen. */
  readonly sighting_of_ref: Identifier;
  /** What raw data backs the sighting. */
  readonly observed_data_refs?: readonly Identifier<"observed-data">[];
  /** Who or where it was seen. */
  readonly where_sighted_refs?: readonly Identifier<"identity" | "location">[];
  /** The sighting is aggregated from others. Default false. */
  readonly summary?: boolean;
}
