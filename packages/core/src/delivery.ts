import type { StixObject } from "stix2-ts-types";
import { ThreatbusError } from "./errors.ts";
import type { Content } from "./message.ts";
import type { Queued } from "./queue.ts";

const settledAlready: Promise<void> = Promise.resolve();

/** One message on its way to the subscriptions it matches: shared by their queues, settled when the last is done with it. */
export class Delivery implements Queued {
  readonly content: Content;
  readonly size: number;
  readonly removal: boolean;
  readonly history: boolean;
  /** Milliseconds of the bus's clock when a broker brought it; `Infinity` if no broker waits for it. */
  readonly since: number;
  #open = 0;
  #given: ThreatbusError | undefined;
  #resolve: (() => void) | undefined;
  #reject: ((reason: ThreatbusError) => void) | undefined;

  constructor(content: Content, since: number = Infinity, history = false) {
    this.content = content;
    this.size = content.size;
    this.removal = content.removal;
    this.history = history;
    this.since = since;
  }

  get indicator(): string | undefined {
    return this.content.topic === "stix2/indicator" ? (this.content.raw as StixObject).id : undefined;
  }

  lighten(): void {
    this.content.lighten();
  }

  /** One more queue holds it. */
  hold(): void {
    this.#open++;
  }

  /** One queue is done with it: delivered, refused or dropped, or answers for it from here on. */
  settle(): void {
    if (--this.#open > 0) return;
    if (this.#given === undefined) this.#resolve?.();
    else this.#reject?.(this.#given);
  }

  /** One queue gives it up undelivered because the bus stops: whoever brought it may offer it again. */
  giveUp(): void {
    this.#given ??= new ThreatbusError("BUS_NOT_RUNNING", "the bus stopped before everyone had the message");
    this.settle();
  }

  /** Resolves when no queue holds it any more; rejects if one gave it up. Asked for once, after all `hold`s. */
  get settled(): Promise<void> {
    if (this.#open === 0) return this.#given === undefined ? settledAlready : Promise.reject(this.#given);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }
}
