export interface BackoffOptions {
  /** Milliseconds before the second attempt. Default 200. */
  readonly first?: number;
  /** Longest wait, in milliseconds. Default 5,000. */
  readonly cap?: number;
  /** 0 ≤ x < 1, for the jitter. Default `Math.random`. */
  readonly random?: () => number;
}

/** Waits between attempts at a connection: doubling up to a cap, each shortened by up to half so that many peers do not return at once. */
export interface Backoff {
  /** Milliseconds to wait before the next attempt. */
  next(): number;
  /** The connection stands: begin anew next time. */
  reset(): void;
}

export function backoff({ first = 200, cap = 5_000, random = Math.random }: BackoffOptions = {}): Backoff {
  let wait = first;
  return {
    next() {
      const full = Math.min(wait, cap);
      wait = Math.min(wait * 2, cap);
      return full - Math.floor((full / 2) * random());
    },
    reset() {
      wait = first;
    },
  };
}
