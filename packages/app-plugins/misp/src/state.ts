import type { Identifier } from "stix2-ts-types";

/** What the bus last heard about one attribute. */
export interface Sent {
  /** Of the indicator. Stays after a removal, so that it can be told from an attribute never sent. */
  readonly pattern: string;
  /** The indicator is on the bus; false once it was removed. */
  readonly live: boolean;
  /** Of the newest message seen, in seconds since 1970-01-01 UTC. Older messages come too late. */
  readonly timestamp: number;
  /** Of this MISP: what an event's removal takes with it. */
  readonly eventId: string;
  readonly creator?: Identifier<"identity">;
  readonly markings?: readonly Identifier<"marking-definition">[];
}

/** Remembers by attribute UUID. */
export interface SentStore {
  get(uuid: string): Sent | undefined;
  set(uuid: string, sent: Sent): void;
  readonly size: number;
}

/** Keeps up to `most` attributes in memory; the longest untouched goes first. */
export function memoryStore(most: number): SentStore {
  const entries = new Map<string, Sent>();
  return {
    get: (uuid) => entries.get(uuid),
    set(uuid, sent) {
      entries.delete(uuid);
      entries.set(uuid, sent);
      if (entries.size > most) for (const oldest of entries.keys()) return void entries.delete(oldest);
    },
    get size() {
      return entries.size;
    },
  };
}
