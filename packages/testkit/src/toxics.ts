import { mixSeed, seeded, type Random } from "./random.ts";

/**
 * What can be wrong with a connection; names and units are toxiproxy's (https://github.com/Shopify/toxiproxy#toxics), written in
 * camel case. `corrupt` and `halfOpen` are ours.
 */
export type Toxic =
  /** Every byte arrives `latency` ms late, give or take up to `jitter` ms (default 0). Order is kept. */
  | { readonly type: "latency"; readonly latency: number; readonly jitter?: number }
  /** At most `rate` KB/s. */
  | { readonly type: "bandwidth"; readonly rate: number }
  /** The end of the stream is passed on `delay` ms late. */
  | { readonly type: "slowClose"; readonly delay: number }
  /** Data vanishes. After `timeout` ms the connection is closed; 0 is a black hole that stays. */
  | { readonly type: "timeout"; readonly timeout: number }
  /** Both ends get a TCP RST, `timeout` ms (default 0) after the toxic meets the connection. */
  | { readonly type: "resetPeer"; readonly timeout?: number }
  /** Pieces of `averageSize` bytes, give or take half, `delay` ms (default 0) apart. */
  | { readonly type: "slicer"; readonly averageSize: number; readonly delay?: number }
  /** The connection closes once this many bytes passed. */
  | { readonly type: "limitData"; readonly bytes: number }
  /** Each byte has this probability (0 to 1) of one flipped bit. */
  | { readonly type: "corrupt"; readonly probability: number }
  /** Nothing is read from either side and nothing closed: a pulled cable. Concerns both directions whichever is named. */
  | { readonly type: "halfOpen" };

/** `up` is from client to target, `down` from target to client. */
export type Direction = "up" | "down" | "both";

/** A toxic at work on a proxy. */
export interface Entry {
  readonly toxic: Toxic;
  readonly direction: Direction;
  /** Counts the toxics of a proxy from 0; part of the seed. */
  readonly ordinal: number;
}

export function concerns(entry: Entry, direction: "up" | "down"): boolean {
  return entry.direction === "both" || entry.direction === direction;
}

/** What one toxic does to one direction of one connection. Positions count bytes, so they do not depend on how TCP cut the stream. */
export interface Effect {
  /** Milliseconds the chunk is held back; `draw` in [0, 1) belongs to the chunk. */
  delay?(draw: number): number;
  /** At most this many bytes may go in the next piece. */
  most?(): number;
  /** Changes a piece in place; returning false swallows it. */
  touch?(piece: Uint8Array): boolean;
  /** Told how many bytes went; returns the pause until the next piece, in ms. */
  sent?(bytes: number): number;
  /** True once the connection must close. */
  spent?(): boolean;
}

export function effectOf(entry: Entry, seed: number): Effect {
  const random = seeded(mixSeed(seed, entry.ordinal));
  const { toxic } = entry;
  switch (toxic.type) {
    case "latency":
      return { delay: (draw) => toxic.latency + (draw * 2 - 1) * (toxic.jitter ?? 0) };
    case "bandwidth":
      // A tenth of a second's worth at a time, so that a low rate trickles instead of bursting.
      return { most: () => Math.max(1, Math.floor(toxic.rate * 100)), sent: (bytes) => bytes / toxic.rate };
    case "timeout":
      return { touch: () => false };
    case "slicer":
      return slicer(toxic.averageSize, toxic.delay ?? 0, random);
    case "limitData":
      return limit(toxic.bytes);
    case "corrupt":
      return corrupt(toxic.probability, random);
    case "slowClose":
    case "resetPeer":
    case "halfOpen":
      return {};
  }
}

function slicer(average: number, delay: number, random: Random): Effect {
  const next = (): number => Math.max(1, Math.round(average * (0.5 + random())));
  let left = next();
  return {
    most: () => left,
    sent(bytes) {
      left -= bytes;
      if (left > 0) return 0;
      left = next();
      return delay;
    },
  };
}

function limit(bytes: number): Effect {
  let left = bytes;
  return {
    most: () => left,
    sent(count) {
      left -= count;
      return 0;
    },
    spent: () => left <= 0,
  };
}

function corrupt(probability: number, random: Random): Effect {
  // Drawing the distance to the next flip costs one draw per flip instead of one per byte.
  const distance = (): number => (probability >= 1 ? 0 : Math.floor(Math.log(1 - random()) / Math.log(1 - probability)));
  let left = probability > 0 ? distance() : Infinity;
  return {
    touch(piece) {
      for (; left < piece.length; left += 1 + distance()) piece[left] = (piece[left] ?? 0) ^ (1 << Math.floor(random() * 8));
      left -= piece.length;
      return true;
    },
  };
}
