import type { Identifier } from "stix2-ts-types";
import type { PatternType } from "../map/pattern.ts";
import type { Marking } from "../map/tags.ts";

/** What the bus last heard about one attribute. */
export interface Sent {
  /** Of the indicators that are on the bus: one, or two for a split attribute. Empty once they were removed. */
  readonly patterns: readonly string[];
  readonly patternType: PatternType;
  /** Of the newest message seen, in seconds since 1970-01-01 UTC. Older messages come too late. */
  readonly timestamp: number;
  /** Of this MISP: what an event's removal takes with it. */
  readonly eventId: string;
  /** A hash of all else the indicators say, to tell a change from a repetition. 32 bits. */
  readonly fingerprint: number;
  readonly creator?: Identifier<"identity">;
  readonly markings?: readonly Marking[];
}

/** What was sent, by attribute UUID. */
export interface Known {
  get(uuid: string): Sent | undefined;
  /** The UUIDs of an event's attributes. */
  ofEvent(eventId: string): readonly string[];
  /** Everything that is on the bus is in here: what is not was never sent. */
  readonly complete: boolean;
}
