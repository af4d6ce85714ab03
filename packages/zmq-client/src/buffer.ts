import { Condition } from "./condition.ts";
import type { BusMessage } from "./messages.ts";

/** Bytes of payload that may wait, whatever their number. */
const maxBytes = 64 * 1024 * 1024;

/** Messages that have come and wait for the program. It never drops: whoever fills it asks for room first. */
export class MessageBuffer {
  readonly #capacity: number;
  readonly #changed: Condition = new Condition();
  #messages: BusMessage[] = [];
  #head = 0;
  #bytes = 0;
  #closed = false;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#messages.length - this.#head;
  }

  get full(): boolean {
    return !this.#closed && (this.size >= this.#capacity || this.#bytes >= maxBytes);
  }

  put(message: BusMessage): void {
    this.#messages.push(message);
    this.#bytes += message.payload.length;
    this.#changed.notify();
  }

  async room(): Promise<void> {
    await this.#changed.until(() => !this.full);
  }

  /** `undefined` once closed and empty. */
  async take(): Promise<BusMessage | undefined> {
    while (this.size === 0 && !this.#closed) await this.#changed.until(() => this.size > 0 || this.#closed);
    const message = this.#messages[this.#head];
    if (message === undefined) return undefined;
    const wasFull = this.full;
    this.#head++;
    this.#bytes -= message.payload.length;
    // Cutting the array now and then instead of shifting each time keeps taking cheap.
    if (this.#head > 64 && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    if (wasFull) this.#changed.notify();
    return message;
  }

  /** Takes nothing more. What is in it can still be taken. */
  close(): void {
    this.#closed = true;
    this.#changed.notify();
  }

  /** Empties it. Returns how many messages went. */
  clear(): number {
    const gone = this.size;
    this.#messages = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#changed.notify();
    return gone;
  }
}
