import { ThreatbusError, backoff } from "@threatbus/core";
import type { Clock, Outbox, Outgoing } from "@threatbus/core";
import type { OutgoingRecord, Producer } from "@threatbus/kafka-client";
import { KafkaFault, faultOf } from "@threatbus/kafka-client";
import type { Topics } from "./topics.ts";

export interface SenderOptions {
  readonly outbox: Outbox;
  readonly producer: Producer;
  readonly topics: Topics;
  readonly clock: Clock;
  readonly limits: { readonly maxItems: number; readonly maxBytes: number };
  readonly recordOf: (outgoing: Outgoing) => OutgoingRecord;
}

/** A record and whoever waits for it: a publisher, through the outbox, or one who sent it by itself. */
type Item = { readonly record: OutgoingRecord } & (
  | { readonly outgoing: Outgoing }
  | { readonly outgoing?: never; readonly resolve: () => void; readonly reject: (fault: KafkaFault) => void }
);

/** Bytes a record takes besides its payload, about. */
const overhead = 300;

/** Sends what waits, one batch at a time: what arrives while one is under way is the next. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #closing = new AbortController();
  #aside: Item[] = [];
  /** Did not fit into the batch before. */
  #held: Item | undefined;
  #running: Promise<void> | undefined;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Something waits. */
  wake(): void {
    if (this.#closing.signal.aborted) return;
    // All that is published in one turn goes together.
    this.#running ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#run()).finally(() => {
      this.#running = undefined;
      if (this.#aside.length > 0 || this.#options.outbox.waiting > 0) this.wake();
    });
  }

  /** Sends a record that nobody published. @throws KafkaFault */
  send(record: OutgoingRecord): Promise<void> {
    if (this.#closing.signal.aborted) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#aside.push({ record, resolve, reject });
      this.wake();
    });
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** Gives up on what waits; what is in the outbox stays there. Close the producer, too. */
  close(): void {
    this.#closing.abort();
    for (const item of this.#aside) this.#abandon(item);
    this.#aside = [];
  }

  async #run(): Promise<void> {
    for (let batch = this.#next(); batch.length > 0; batch = this.#next()) await this.#send(batch);
  }

  #next(): Item[] {
    const { limits } = this.#options;
    if (this.#closing.signal.aborted) return [];
    const batch: Item[] = this.#aside.splice(0, limits.maxItems);
    let bytes = batch.reduce((sum, { record }) => sum + record.value.length + overhead, 0);
    while (batch.length < limits.maxItems) {
      const item = this.#held ?? this.#take();
      this.#held = undefined;
      if (item === undefined) break;
      bytes += item.record.value.length + overhead;
      if (bytes > limits.maxBytes && batch.length > 0) {
        this.#held = item;
        break;
      }
      batch.push(item);
    }
    return batch;
  }

  #take(): Item | undefined {
    const { outbox, recordOf } = this.#options;
    const outgoing = outbox.take();
    return outgoing === undefined ? undefined : { record: recordOf(outgoing), outgoing };
  }

  #done(item: Item): void {
    if (item.outgoing === undefined) item.resolve();
    else this.#options.outbox.done(item.outgoing);
  }

  /** The broker will not have it. */
  #fail(item: Item, fault: KafkaFault): void {
    if (item.outgoing === undefined) return item.reject(fault);
    const { message, hint } = fault;
    this.#options.outbox.fail(item.outgoing, new ThreatbusError("BACKBONE_FAILED", `Kafka did not take the message: ${message}`, { cause: fault, ...(hint !== undefined && { hint }) }));
  }

  /** Nobody will send it any more. What is in the outbox stays there. */
  #abandon(item: Item): void {
    if (item.outgoing === undefined) item.reject(closed());
  }

  async #send(batch: readonly Item[]): Promise<void> {
    const { producer, topics, clock } = this.#options;
    const records = batch.map(({ record }) => record);
    const names = records.map(({ topic }) => topic);
    const waits = backoff();
    for (;;) {
      try {
        await topics.ensure(names, this.#closing.signal);
        await producer.send(records);
        for (const item of batch) this.#done(item);
        return;
      } catch (thrown) {
        const fault = faultOf(thrown);
        if (fault.kind === "closed" || this.#closing.signal.aborted) return batch.forEach((item) => this.#abandon(item));
        if (fault.kind === "missing" && topics.mayCreate) {
          topics.forget(names);
          await clock.sleep(waits.next(), this.#closing.signal);
        } else if (batch.length === 1 || fault.kind === "missing") {
          for (const item of batch) this.#fail(item, fault);
          return;
        } else {
          // One of them is the reason: the others have nothing to do with it.
          const middle = batch.length >> 1;
          await this.#send(batch.slice(0, middle));
          return this.#send(batch.slice(middle));
        }
      }
    }
  }
}

function closed(): KafkaFault {
  return new KafkaFault("closed", "the backbone is stopped");
}
