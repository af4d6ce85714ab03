import type { RetroEnd } from "../../engine.ts";
import type { Observable } from "../../observable.ts";
import { keyOf } from "../../observable.ts";

/** Counts hits for each observable up to a limit. */
export class Quota {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();
  /** Observables that have not had all they may. */
  #open: number;
  readonly #exceeded = new Map<string, Observable>();

  constructor(observables: number, limit: number) {
    this.#open = observables;
    this.#limit = limit;
  }

  /** Whether another hit for it is wanted. */
  admit(observable: Observable): boolean {
    if (this.#limit === Infinity) return true;
    const key = keyOf(observable);
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    if (count === this.#limit + 1) {
      this.#exceeded.set(key, observable);
      this.#open--;
    }
    return count <= this.#limit;
  }

  /** No hit for any of them is wanted any more. */
  get full(): boolean {
    return this.#open <= 0;
  }

  get end(): RetroEnd {
    return this.#exceeded.size === 0 ? {} : { truncated: "limit", observables: [...this.#exceeded.values()] };
  }
}
