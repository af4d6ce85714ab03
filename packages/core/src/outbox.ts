import type { StixObject } from "stix2-ts-types";
import type { Frame, Host, Overflow, SnapshotRequest } from "./contract.ts";
import { ThreatbusError } from "./errors.ts";
import { Content } from "./message.ts";
import { BoundedQueue } from "./queue.ts";
import type { Queued } from "./queue.ts";

/** What a backbone may hold while its broker is away or behind. */
export interface OutboxLimits {
  /** Messages. Default 10,000. */
  readonly maxItems: number;
  /** Bytes of payload. Default 64 MiB. */
  readonly maxBytes: number;
  /**
   * What happens when it is full. Publishers are told in any case: their `publish` rejects when their message is dropped.
   * - `block` (default): nothing is dropped. Every publisher waits for the broker's answer anyway, so what waits beyond the limit is what
   *   publishers have under way at once, which each of them bounds.
   * - `drop_oldest`: the longest waiting message goes, removals of indicators last.
   * - `drop_newest`: the arriving message goes.
   */
  readonly overflow: Extract<Overflow, "block" | "drop_oldest" | "drop_newest">;
}

export const defaultOutboxLimits: OutboxLimits = { maxItems: 10_000, maxBytes: 64 * 1024 * 1024, overflow: "block" };

/** A frame on its way to the broker, and its publisher's promise. */
export interface Outgoing {
  readonly frame: Frame;
  /** Id of the STIX object it is about, or of the snapshot; its topic if there is neither. What has one key is about one thing. */
  readonly key: string;
}

/**
 * What a host publishes, in order, from the call of `publish` until the broker answers for it. Messages wait, then are under way, then done;
 * when the connection breaks, those under way wait again, in their old order and before all others, so that nothing is lost or reordered.
 */
export class Outbox {
  readonly #queue: BoundedQueue<Entry>;
  /** In the order they were taken. */
  readonly #underWay = new Set<Entry>();
  /** Rewound, the oldest last. */
  #again: Entry[] = [];
  readonly #wake: () => void;
  #closed: ThreatbusError | undefined;

  /** @param wake called when there is something to take */
  constructor(limits: OutboxLimits, { metrics, logger }: Pick<Host, "metrics" | "logger">, wake: () => void) {
    const dropped = metrics.counter("outbox_dropped");
    this.#wake = wake;
    this.#queue = new BoundedQueue(limits, { used: 0, max: Infinity }, (entry) => {
      if (this.#closed !== undefined) return entry.reject(this.#closed);
      if (dropped.value === 0) logger.warn("the outbox is full: a message was not published; more are counted", { overflow: limits.overflow, max_items: limits.maxItems, max_bytes: limits.maxBytes });
      dropped.add();
      entry.reject(new ThreatbusError("BACKBONE_FAILED", "the broker is away and the outbox is full"));
    });
    metrics.gauge("outbox_waiting", () => this.waiting);
    metrics.gauge("outbox_waiting_bytes", () => this.#queue.bytes);
    metrics.gauge("outbox_under_way", () => this.underWay);
  }

  get waiting(): number {
    return this.#again.length + this.#queue.count;
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  /** Resolves when the broker answers for the frame; rejects when it was dropped or refused, or the outbox closed. */
  put(frame: Frame): Promise<void> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#queue.offer(new Entry(frame, resolve, reject));
      this.#wake();
    });
  }

  /** The oldest that waits; from now on it is under way. */
  take(): Outgoing | undefined {
    const next = this.#again.pop() ?? this.#queue.shift();
    if (next !== undefined) this.#underWay.add(next);
    return next;
  }

  /** The broker answers for it. */
  done(outgoing: Outgoing): void {
    const entry = outgoing as Entry;
    if (this.#underWay.delete(entry)) entry.resolve();
  }

  /** It will never be taken. */
  fail(outgoing: Outgoing, reason: ThreatbusError): void {
    const entry = outgoing as Entry;
    if (this.#underWay.delete(entry)) entry.reject(reason);
  }

  /** The connection broke: all that is under way waits again. */
  rewind(): void {
    if (this.#underWay.size === 0) return;
    this.#again.push(...[...this.#underWay].reverse());
    this.#underWay.clear();
    this.#wake();
  }

  /** Gives up on all that is left, and on all to come. */
  close(): void {
    const reason = (this.#closed ??= new ThreatbusError("BUS_NOT_RUNNING", "the backbone is stopped"));
    for (const entry of [...this.#underWay, ...this.#again]) entry.reject(reason);
    this.#underWay.clear();
    this.#again = [];
    this.#queue.clear("shutdown");
  }
}

class Entry implements Outgoing, Queued {
  readonly frame: Frame;
  readonly size: number;
  readonly removal: boolean;
  readonly history = false;
  readonly indicator = undefined;
  readonly resolve: () => void;
  readonly reject: (reason: ThreatbusError) => void;

  constructor(frame: Frame, resolve: () => void, reject: (reason: ThreatbusError) => void) {
    this.frame = frame;
    const content = frame instanceof Content;
    this.size = content ? frame.size : frame.payload.length;
    this.removal = content && frame.removal;
    this.resolve = resolve;
    this.reject = reject;
  }

  get key(): string {
    const { frame } = this;
    const body = frame instanceof Content ? frame.raw : undefined;
    if (typeof body !== "object") return frame.topic;
    // A STIX object may have a property of any name: what it is called by is its id.
    return frame.topic.startsWith("threatbus/") ? (body as SnapshotRequest).snapshot_id : (body as StixObject).id;
  }

  lighten(): void {
    if (this.frame instanceof Content) this.frame.lighten();
  }
}
