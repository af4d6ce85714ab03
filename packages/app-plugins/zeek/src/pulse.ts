import type { Clock } from "@threatbus/core";

/**
 * Whether the other side of a connection lives, and what it is known to have of what was sent: pings are numbered, and whoever answers one has read all that came
 * before it.
 */
export class Pulse {
  readonly #clock: Clock;
  readonly #isOpen: () => boolean;
  readonly #ping: (number: number) => void;
  #heard: number;
  #signs = 0;
  /** Whether it was asked for a sign of life since anything came. */
  #asked = false;
  /** Of the latest ping, and whether that has no answer yet. */
  #number = 0;
  #awaiting = false;
  /** Events sent, those of them that were before the latest ping, and before the latest that was answered. */
  #sent = 0;
  #marked = 0;
  #confirmed = 0;
  readonly #waiting = new Set<() => void>();

  /** @param ping sends one with that number */
  constructor(clock: Clock, isOpen: () => boolean, ping: (number: number) => void) {
    this.#clock = clock;
    this.#isOpen = isOpen;
    this.#ping = ping;
    this.#heard = clock.now();
  }

  get unconfirmed(): number {
    return this.#sent - this.#confirmed;
  }

  /** An event goes out. @param most events after which a ping asks whether they came, unless one is under way */
  sent(most = Infinity): void {
    if (++this.#sent - this.#marked >= most && !this.#awaiting) this.ask();
  }

  /** Something came. */
  hear(): void {
    this.#heard = this.#clock.now();
    this.#signs++;
    this.#asked = false;
  }

  /** The answer to a ping came; without a number, to the last one there will be. */
  answered(number = this.#number): void {
    if (number !== this.#number) return;
    this.#awaiting = false;
    this.#confirmed = this.#marked;
  }

  ask(): void {
    this.mark();
    this.#asked = true;
    this.#ping(++this.#number);
  }

  /** What is sent from here on is for the next ping to ask about. */
  mark(): void {
    this.#marked = this.#sent;
    this.#awaiting = true;
  }

  /**
   * Asks for a sign of life after `interval` ms of silence, or when something was sent. Returns false when it was asked and silent for three times as long.
   */
  tend(interval: number): boolean {
    const silence = this.#clock.now() - this.#heard;
    if (this.#asked && silence >= 3 * interval) return false;
    if (silence >= interval || (this.unconfirmed > 0 && !this.#asked)) this.ask();
    return true;
  }

  /** Asks, and resolves to true when anything comes, to false when the connection closes before. */
  sign(): Promise<boolean> {
    const before = this.#signs;
    if (this.#isOpen()) this.ask();
    return this.until(() => this.#signs > before);
  }

  /** Resolves to true once the condition holds, to false when the connection closes before. Conditions are looked at by `wake`. */
  until(condition: () => boolean): Promise<boolean> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#isOpen() && !condition()) return;
        this.#waiting.delete(look);
        resolve(this.#isOpen());
      };
      this.#waiting.add(look);
      if (!this.#isOpen()) look();
    });
  }

  wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
