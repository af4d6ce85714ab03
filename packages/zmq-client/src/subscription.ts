import type { ZmqClientError } from "./errors.ts";
import type { BusMessage } from "./messages.ts";
import type { Gap } from "./sequence.ts";

/**
 * - `subscribed`: the bus took the subscription.
 * - `lost`: the bus does not answer. Nothing need be missing: what it still sends still arrives.
 * - `recovered`: it answers again and had kept the subscription.
 * - `resubscribed`: it had forgotten the subscription, as after a restart, and took it anew. What it got in between is missing, uncounted.
 * - `closed`: by the program.
 */
export type SubscriptionState = "subscribed" | "lost" | "recovered" | "resubscribed" | "closed";

export interface SubscribeOptions {
  /** Also ask for the history of this many days, delivered as ordinary messages. Default 0: none. */
  readonly snapshot?: number;
  /** Messages that may wait here while the program is busy. Then receiving stops and the bus keeps (and counts) the rest. Default 1,000. */
  readonly buffer?: number;
  /** Told of every change of state; `error` says why it was lost. */
  readonly onStatus?: (state: SubscriptionState, error?: ZmqClientError) => void;
  /** Told of messages that the bus numbered but that did not come. */
  readonly onGap?: (gap: Gap) => void;
  /** Closes the subscription. */
  readonly signal?: AbortSignal;
}

/** `received = delivered + waiting + malformed + ignored + dropped`, at every instant. */
export interface SubscriptionStats {
  /** Messages the bus sent us. */
  readonly received: number;
  /** Handed to the program. */
  readonly delivered: number;
  /** In the buffer. */
  readonly waiting: number;
  /** Could not be read. */
  readonly malformed: number;
  /** Snapshot requests, which a bus tells every subscriber: `client.onSnapshotRequest` is for them. */
  readonly ignored: number;
  /** Left in the buffer when iteration was broken off. */
  readonly dropped: number;
  /** Numbered by the bus and never received. Always 0 without `sequenced`. */
  readonly lost: number;
  /** In how many places. */
  readonly gaps: number;
  /** Whether the bus numbers our messages, so that `lost` is exact. Old ones do not. */
  readonly sequenced: boolean;
  readonly resubscribed: number;
}

/** Iterate to receive. Leaving the loop closes the subscription; several loops share the messages. */
export interface Subscription extends AsyncIterable<BusMessage> {
  readonly topics: readonly string[];
  readonly state: SubscriptionState;
  readonly stats: SubscriptionStats;
  /**
   * Tells the bus and frees the connection. Messages that had come can still be iterated over. Never rejects; takes at most the request
   * timeout. Twice is harmless.
   */
  close(): Promise<void>;
}
