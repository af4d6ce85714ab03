import type { ConfiguredBackbone } from "@threatbus/core";

export type BackboneTest =
  | "starts and stops"
  | "stops twice, at once and again"
  | "stops without having started"
  | "stops while it starts"
  | "rejects an aborted start and may be started again"
  | "delivers to its own host, with topic, id and bytes intact"
  | "carries large payloads"
  | "keeps the order of a publisher"
  | "takes messages published at once"
  | "goes on after a delivery was rejected"
  | "does not make a publisher wait for a slow delivery"
  | "subscribes and unsubscribes in any order"
  | "refuses to publish once stopped"
  | "waits for deliveries under way when it stops"
  | "shares nothing between instances"
  | "reaches every host"
  | "goes on when another host stops"
  | "accounts for every message of a bus";

/** A backbone under test. */
export interface BackboneSubject {
  readonly name: string;
  /**
   * A backbone set up for `world`, e.g. with an exchange of that name. Asked twice for one world, it gives two hosts that see each
   * other's frames; hosts of different worlds see nothing of each other. Every test has worlds of its own.
   */
  create(world: string): ConfiguredBackbone | Promise<ConfiguredBackbone>;
  readonly limits?: Partial<BackboneLimits>;
  /** What it cannot do, and why. */
  readonly cannot?: Readonly<Partial<Record<BackboneTest, string>>>;
}

export interface BackboneLimits {
  /** Bytes of the largest payload tried. Default 1 MiB. */
  readonly maxPayload: number;
  /** Messages of the tests that send many. Default 500. */
  readonly messages: number;
  /** Milliseconds to wait for anything that should happen. Default 60,000. */
  readonly patience: number;
}

export function limitsOf({ limits }: BackboneSubject): BackboneLimits {
  return { maxPayload: 1024 * 1024, messages: 500, patience: 60_000, ...limits };
}
