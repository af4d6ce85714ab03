import { backoff, isThreatbusError, reasonOf } from "@threatbus/core";
import type { Backoff, Clock, Counter, Deliver, Frame, Logger } from "@threatbus/core";
import type { Channel, ConsumeMessage } from "amqplib";

/** Times a frame is offered to the host before it counts as one that never will be taken. */
const tries = 3;
/** Milliseconds what is done may wait for more, so that one acknowledgement does for many: each costs the host a system call, and the broker more. */
const gathering = 5;
/** Characters of the longest id that is kept. */
const longestId = 128;

export interface ConsumerSetup {
  readonly channel: Channel;
  /** Messages the broker hands out without an acknowledgement: with a quarter of them done, no more is waited for. */
  readonly prefetch: number;
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Messages this host could not take: dead letters if the queue has an exchange for them. */
  readonly dead: Counter;
  readonly signal: AbortSignal;
}

interface Held {
  readonly message: ConsumeMessage;
  done: boolean;
}

/** Hands messages to the host and acknowledges them when it is done with them. */
export class Consumer {
  readonly #setup: ConsumerSetup;
  /** In the order they came. What is done leaves from the front, with one acknowledgement for all. */
  #held: Held[] = [];
  #open = 0;
  /** Done since the last acknowledgement. */
  #done = 0;
  #gathering: NodeJS.Timeout | undefined;
  #ended = false;
  #idle: (() => void)[] = [];

  constructor(setup: ConsumerSetup) {
    this.#setup = setup;
  }

  take(message: ConsumeMessage): void {
    const held: Held = { message, done: false };
    this.#held.push(held);
    this.#open++;
    void this.#offer(held);
  }

  /** Resolves when the host is done with everything taken, and has told the broker. */
  async idle(): Promise<void> {
    if (this.#open > 0) await new Promise<void>((resolve) => this.#idle.push(resolve));
    this.#flush();
  }

  /** The channel is gone: there is nobody to acknowledge to. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#gathering);
  }

  async #offer(held: Held): Promise<void> {
    const { deliver, clock, signal } = this.#setup;
    const frame = frameOf(held.message);
    let waits: Backoff | undefined;
    for (let tried = 1; ; tried++) {
      try {
        await deliver(frame);
        return this.#settle(held, true);
      } catch (thrown) {
        // The host stops: the broker keeps it for its next life.
        if (isThreatbusError(thrown, "BUS_NOT_RUNNING")) return this.#settle(held, false);
        if (isThreatbusError(thrown, "MESSAGE_REFUSED") || tried === tries) {
          this.#bury(held, thrown);
          return this.#settle(held, false);
        }
        waits ??= backoff();
        await clock.sleep(waits.next(), signal);
      }
    }
  }

  #settle(held: Held, done: boolean): void {
    held.done = done;
    if (done && ++this.#done === Math.ceil(this.#setup.prefetch / 4)) setImmediate(() => this.#flush());
    else if (done) this.#gathering ??= setTimeout(() => this.#flush(), gathering);
    if (--this.#open === 0) for (const wake of this.#idle.splice(0)) wake();
  }

  /** Acknowledges what is done: everything up to the first that is not in one go, what is done behind it one by one. */
  #flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    this.#done = 0;
    if (this.#ended) return;
    const { channel } = this.#setup;
    let first = this.#held.findIndex(({ done }) => !done);
    if (first < 0) first = this.#held.length;
    const last = this.#held[first - 1];
    try {
      if (last !== undefined) channel.ack(last.message, true);
      const rest = this.#held.slice(first);
      for (const { message, done } of rest) if (done) channel.ack(message);
      this.#held = rest.filter(({ done }) => !done);
    } catch {
      // The channel has just closed; the broker offers again what it was not told of.
      this.#ended = true;
    }
  }

  /** Gives up on a message: the broker drops it, or puts it where dead letters go. */
  #bury(held: Held, thrown: unknown): void {
    const { channel, dead, logger } = this.#setup;
    if (dead.value === 0) logger.warn("a message could not be taken and was given up; more are counted", { reason: reasonOf(thrown), id: idOf(held.message) });
    dead.add();
    this.#held = this.#held.filter((other) => other !== held);
    if (this.#ended) return;
    try {
      channel.nack(held.message, false, false);
    } catch {
      this.#ended = true;
    }
  }
}

/** Hosts of the first Threat Bus send bare JSON: no topic, no id. */
function frameOf(message: ConsumeMessage): Frame {
  const type: unknown = message.properties.type;
  return { topic: typeof type === "string" && type.includes("/") ? type : "", id: idOf(message), payload: message.content };
}

function idOf({ properties }: ConsumeMessage): string {
  const id: unknown = properties.messageId;
  return typeof id === "string" && id.length <= longestId ? id : "";
}
