import type { Indicator, Sighting } from "stix2-ts-types";
import type { SnapshotEnvelope, SnapshotRequest } from "./messages.ts";
import type { Logger } from "./settings.ts";
import type { Subscription } from "./subscription.ts";

/** Gives the objects of a time span. `signal` fires when this program stops answering. Throwing ends its part of the answer. */
export type SnapshotAnswer = (request: SnapshotRequest, signal: AbortSignal) => AsyncIterable<Indicator | Sighting>;

/** Answers given at the same time; further requests wait in the subscription. */
const maxAnswers = 4;
/** Requests remembered, since a bus may tell one by two ways. */
const maxRemembered = 1_000;

export interface SnapshotParts {
  readonly requests: Subscription;
  readonly answer: SnapshotAnswer;
  readonly publish: (envelope: SnapshotEnvelope) => Promise<void>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** Answers until the subscription ends. */
export async function answerSnapshots({ requests, answer, publish, logger, signal }: SnapshotParts): Promise<void> {
  const seen = new Set<string>();
  const underWay = new Set<Promise<void>>();
  for await (const message of requests) {
    if (message.type !== "snapshotrequest" || signal.aborted) continue;
    const key = `${message.body.snapshot_type} ${message.body.snapshot_id}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const [oldest] = seen;
    if (seen.size > maxRemembered && oldest !== undefined) seen.delete(oldest);
    const part: Promise<void> = give(message.body).finally(() => underWay.delete(part));
    underWay.add(part);
    if (underWay.size >= maxAnswers) await Promise.race(underWay);
  }

  async function give(request: SnapshotRequest): Promise<void> {
    const { snapshot_type, snapshot_id } = request;
    try {
      for await (const body of answer(request, signal)) {
        if (signal.aborted) return;
        await publish({ type: "snapshotenvelope", snapshot_type, snapshot_id, body });
      }
    } catch (error) {
      if (!signal.aborted) logger.warn("an answer to a snapshot request ended early", { error, snapshot_id });
    }
  }
}
