import { backoff } from "@threatbus/core";
import type { Clock } from "@threatbus/core";
import type { Driver, DriverProducer, OutgoingRecord } from "./contract.ts";
import { KafkaFault, faultOf } from "./faults.ts";

export interface ProducerOptions {
  readonly driver: Driver;
  readonly clock: Clock;
  /** Told why a batch will be sent again; of nothing, when one got through. */
  readonly onState: (fault: KafkaFault | undefined) => void;
}

/**
 * Sends batches, one at a time. A batch that failed is sent again, the same records to the same partitions, until the broker has it: sending
 * anything else under the same producer id could make the broker take it for what it had, acknowledge it and throw it away.
 */
export class Producer {
  readonly #options: ProducerOptions;
  readonly #closing = new AbortController();
  #current: DriverProducer | undefined;
  #connected = false;
  /** Goodbyes under way. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(options: ProducerOptions) {
    this.#options = options;
  }

  /** One attempt. @throws KafkaFault */
  async connect(): Promise<void> {
    if (this.#closing.signal.aborted) throw closed();
    if (this.#connected) return;
    const producer = (this.#current ??= this.#options.driver.producer());
    try {
      await producer.connect();
    } catch (thrown) {
      this.#replace(producer);
      throw this.#closing.signal.aborted ? closed() : faultOf(thrown);
    }
    if (this.#closing.signal.aborted) throw closed();
    this.#connected = true;
  }

  /**
   * Resolves when all replicas in sync have the batch. One call at a time.
   * @throws KafkaFault `too_large`, `missing` or `denied`: the batch will not be taken as it is; `closed`. Whatever else happens is waited out
   */
  async send(records: readonly OutgoingRecord[]): Promise<void> {
    const { clock, onState } = this.#options;
    const wait = backoff();
    for (;;) {
      try {
        await this.connect();
        await this.#current?.send(records);
        if (this.#closing.signal.aborted) throw closed();
        return onState(undefined);
      } catch (thrown) {
        const fault = this.#closing.signal.aborted ? closed() : faultOf(thrown);
        if (fault.kind === "closed") throw fault;
        // Whatever comes next is another batch, or the broker is at odds with this producer id: a new one begins anew.
        if (fault.kind !== "away" && this.#current !== undefined) this.#replace(this.#current);
        if (fault.kind === "too_large" || fault.kind === "missing" || fault.kind === "denied") throw fault;
        onState(fault);
        await clock.sleep(wait.next(), this.#closing.signal);
      }
    }
  }

  /** Frees every handle, in 2 s at most. A batch under way is given up. Twice is harmless. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#current !== undefined) this.#replace(this.#current);
    await Promise.all(this.#leaving);
  }

  #replace(producer: DriverProducer): void {
    if (this.#current !== producer) return;
    this.#current = undefined;
    this.#connected = false;
    const leaving: Promise<void> = producer.close().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}

function closed(): KafkaFault {
  return new KafkaFault("closed", "the producer is closed");
}
