import type { DropReason, SubscriptionStats } from "./contract.ts";
import type { RefusalReason } from "./errors.ts";
import type { Sample } from "./metrics.ts";

/** All figures of a bus at one instant. `arrived = routed + unmatched + control + duplicates + Σ refused`. */
export interface BusStats {
  readonly state: BusState;
  /** Messages this host gave to its backbones, every one of which answered for it. */
  readonly published: number;
  /** Messages a backbone did not take; their publisher was told. */
  readonly failed: number;
  /** Frames that came from the backbones: the host's own and those of others. */
  readonly arrived: number;
  /** Of them, those that matched a subscription. */
  readonly routed: number;
  /** Of them, those that matched none. */
  readonly unmatched: number;
  /** Of them, snapshot requests and envelopes. */
  readonly control: number;
  /** Of them, those that had come before: redelivered, or by another backbone. */
  readonly duplicates: number;
  /** Of them, those whose content did not pass its check. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  readonly subscriptions: readonly SubscriptionStats[];
  /** Sums over the subscriptions that ended. */
  readonly ended: SubscriptionStats & { readonly count: number };
  readonly snapshots: SnapshotStats;
  /** What each plugin counts itself. */
  readonly plugins: Readonly<Record<string, readonly Sample[]>>;
}

export type BusState = "new" | "starting" | "running" | "stopping" | "stopped";

export interface SnapshotStats {
  /** Requests sent for subscriptions of this host. */
  readonly asked: number;
  /** Requests whose answers are still waited for. */
  readonly open: number;
  /** Answers that apps of this host began, ended well, and failed at. */
  readonly begun: number;
  readonly answered: number;
  readonly failed: number;
  /** Objects sent in answers, and objects that came in answers to this host. */
  readonly sent: number;
  readonly arrived: number;
  /** Envelopes for nobody here. */
  readonly ignored: number;
}

/** Adds up subscriptions that ended. */
export function addUp(name: string, all: readonly SubscriptionStats[]): SubscriptionStats {
  const sum = (of: (stats: SubscriptionStats) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  const dropped = (why: DropReason): number => sum((stats) => stats.dropped[why]);
  return {
    name,
    topics: [],
    received: sum((stats) => stats.received),
    delivered: sum((stats) => stats.delivered),
    refused: sum((stats) => stats.refused),
    superseded: sum((stats) => stats.superseded),
    dropped: { overflow: dropped("overflow"), budget: dropped("budget"), closed: dropped("closed"), shutdown: dropped("shutdown") },
    waiting: sum((stats) => stats.waiting),
    waitingBytes: sum((stats) => stats.waitingBytes),
    repeated: sum((stats) => stats.repeated),
    ackedEarly: sum((stats) => stats.ackedEarly),
  };
}
