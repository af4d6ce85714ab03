import { backoff, isThreatbusError, reasonOf } from "@threatbus/core";
import type { Clock, Deliver, Host, Logger } from "@threatbus/core";
import type { IncomingRecord, OutgoingRecord } from "@threatbus/kafka-client";
import { deadLetterOf, frameOf } from "./records.ts";

export interface DeliveriesOptions {
  readonly deliver: Deliver;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Host["metrics"];
  /** Fires when the backbone stops. */
  readonly signal: AbortSignal;
  readonly deadLetterTopic: string | undefined;
  readonly send: (record: OutgoingRecord) => Promise<void>;
  /** Requests of the bus itself from before this (ms since 1970) are nobody's any more. */
  readonly since: number;
}

/** Times a record is offered. */
const tries = 3;
/** Milliseconds that the clocks of two hosts may be apart. */
const tolerance = 60_000;

/** Offers records to the host. Resolves when the host is done with one, in whatever way; rejects when it must come again in another life. */
export function deliveries({ deliver, clock, logger, metrics, signal, deadLetterTopic, send, since }: DeliveriesOptions): (record: IncomingRecord) => Promise<void> {
  const refused = metrics.counter("kafka_refused");
  const deadLetters = metrics.counter("kafka_dead_letters");
  const stale = metrics.counter("kafka_stale");

  return async (record) => {
    const frame = frameOf(record);
    // History is for objects. Who asked for a snapshot long ago has its answer, or is gone.
    if (frame.topic.startsWith("threatbus/") && record.timestamp < since - tolerance) return stale.add();
    const waits = backoff();
    for (let tried = 1; ; tried++) {
      try {
        return await deliver(frame);
      } catch (thrown) {
        if (isThreatbusError(thrown, "BUS_NOT_RUNNING")) throw thrown;
        if (isThreatbusError(thrown, "MESSAGE_REFUSED") || tried === tries) return bury(record, thrown);
        await clock.sleep(waits.next(), signal);
        if (signal.aborted) throw thrown;
      }
    }
  };

  async function bury(record: IncomingRecord, thrown: unknown): Promise<void> {
    const { topic, partition, offset } = record;
    const reason = (isThreatbusError(thrown) ? thrown.reason : undefined) ?? reasonOf(thrown).slice(0, 200);
    const place = { topic, partition, offset, reason };
    if (refused.value === 0) logger.warn("a message was not taken; more are counted", place);
    refused.add();
    if (deadLetterTopic === undefined) return;
    try {
      await send(deadLetterOf(record, deadLetterTopic, reason));
      deadLetters.add();
    } catch (fault) {
      if (signal.aborted) throw fault;
      logger.error("a message could not be kept as a dead letter", { ...place, why: reasonOf(fault) });
    }
  }
}
