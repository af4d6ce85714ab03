import { randomUUID } from "node:crypto";
import type { App, Clock, Logger, Message, SnapshotEnvelope, SnapshotRequest, SnapshotType, Topic } from "./contract.ts";
import { Delivery } from "./delivery.ts";
import { reasonOf } from "./errors.ts";
import { Content, message } from "./message.ts";
import { matches } from "./router.ts";
import type { SnapshotStats } from "./stats.ts";
import type { ActiveSubscription } from "./subscription.ts";

/** An id is forgotten when no object came for it for so long. Milliseconds. */
const patience = 300_000;

const types: ReadonlyMap<SnapshotType, Topic> = new Map([[1, "stix2/indicator"], [2, "stix2/sighting"]]);

interface Asked {
  readonly subscription: ActiveSubscription;
  /** Fires when the subscription ends, and when the bus begins to stop. */
  readonly ended: AbortController;
  heard: number;
}

export interface SnapshotSetup {
  readonly publish: (message: Message) => Promise<void>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Resolves when the apps have started and may be asked, or never will. */
  readonly ready: Promise<void>;
  /** Fires when the bus begins to stop. */
  readonly signal: AbortSignal;
}

/** Asks for history on behalf of subscriptions, answers for the apps of this host, and hands arriving answers to who asked. */
export class Snapshots {
  readonly #setup: SnapshotSetup;
  readonly #asked = new Map<string, Asked>();
  readonly #counts = { asked: 0, begun: 0, answered: 0, failed: 0, sent: 0, arrived: 0, ignored: 0 };

  constructor(setup: SnapshotSetup) {
    this.#setup = setup;
    setup.signal.addEventListener("abort", () => {
      for (const { ended } of this.#asked.values()) ended.abort();
    });
  }

  get stats(): SnapshotStats {
    return { ...this.#counts, open: this.#asked.size };
  }

  /** Asks every host for what the subscription's topics cover of the last `seconds`. The requests go out after this turn of the event loop. */
  ask(subscription: ActiveSubscription, seconds: number): void {
    for (const [type, topic] of types) {
      if (!subscription.topics.some((wanted) => matches(wanted, topic))) continue;
      const id = randomUUID();
      const ended = new AbortController();
      this.#asked.set(id, { subscription, ended, heard: this.#setup.clock.now() });
      this.#counts.asked++;
      subscription.snapshots.add(id);
      setImmediate(() => void this.#send({ type: "snapshotrequest", snapshot_type: type, snapshot_id: id, snapshot: seconds }));
      void this.#expire(id, ended.signal);
    }
  }

  /** The subscription ended: nothing is waited for any more. */
  forget(subscription: ActiveSubscription): void {
    for (const [id, asked] of this.#asked) {
      if (asked.subscription !== subscription) continue;
      this.#asked.delete(id);
      asked.ended.abort();
    }
  }

  /** Lets one app answer a request. */
  async answer(name: string, app: App, request: SnapshotRequest): Promise<void> {
    if (app.snapshot === undefined) return;
    const { publish, ready, signal, logger } = this.#setup;
    await ready;
    const asker = this.#asked.get(request.snapshot_id);
    const over = asker?.ended.signal ?? signal;
    if (over.aborted) return;
    this.#counts.begun++;
    try {
      for await (const body of app.snapshot(request, over)) {
        while (asker?.subscription.crowded === true) await asker.subscription.room();
        if (over.aborted) break;
        const { snapshot_type, snapshot_id } = request;
        await publish(message({ type: "snapshotenvelope", snapshot_type, snapshot_id, body } as SnapshotEnvelope));
        this.#counts.sent++;
      }
      this.#counts.answered++;
    } catch (thrown) {
      this.#counts.failed++;
      logger.error("an app failed while answering a snapshot", { plugin: name, code: "SNAPSHOT_FAILED", reason: reasonOf(thrown) });
    }
  }

  /** Hands an answer's object to who asked for it. */
  receive(envelope: SnapshotEnvelope, since?: number): { readonly settled: Promise<void> } {
    const asked = this.#asked.get(envelope.snapshot_id);
    if (asked === undefined) {
      this.#counts.ignored++;
      return { settled: Promise.resolve() };
    }
    this.#counts.arrived++;
    asked.heard = this.#setup.clock.now();
    const delivery = new Delivery(new Content(`stix2/${envelope.body.type}`, envelope.body), since, true);
    asked.subscription.offer(delivery);
    return delivery;
  }

  async #send(request: SnapshotRequest): Promise<void> {
    await this.#setup.ready;
    if (!this.#asked.has(request.snapshot_id)) return;
    try {
      await this.#setup.publish(message(request));
    } catch (thrown) {
      this.#setup.logger.error("a snapshot could not be asked for", { reason: reasonOf(thrown) });
    }
  }

  async #expire(id: string, ended: AbortSignal): Promise<void> {
    const { clock } = this.#setup;
    for (let asked = this.#asked.get(id); asked !== undefined && !ended.aborted; asked = this.#asked.get(id)) {
      const rest = asked.heard + patience - clock.now();
      if (rest > 0) await clock.sleep(rest, ended);
      else {
        this.#asked.delete(id);
        asked.subscription.snapshots.delete(id);
        asked.subscription.forgetHistory();
      }
    }
  }
}
