import type { Clock } from "@threatbus/core";
import { Assignment } from "./assignment.ts";
import type { Driver, DriverBatch, DriverConsumer, GroupSettings, IncomingRecord, Partition, Position } from "./contract.ts";
import { KafkaFault, faultOf } from "./faults.ts";

export interface ConsumerOptions {
  readonly driver: Driver;
  readonly clock: Clock;
  readonly group: GroupSettings;
  readonly topics: readonly string[];
  /** Where to begin in partitions without a committed position; in those not named here, with the first record. */
  readonly starts: readonly Position[];
  /** Records handed over and not committed, at most. As many come again when the process is killed. */
  readonly prefetch: number;
  /** Milliseconds between commits, at most. */
  readonly commitInterval: number;
  /** Tells one record from another at the same offset. */
  readonly idOf: (record: IncomingRecord) => string;
  /** Resolving acknowledges. Rejecting leaves the record, and with it all that follow in its partition, for the group's next life. */
  readonly handle: (record: IncomingRecord) => Promise<void>;
  /** Told whenever the group gave out its partitions. */
  readonly onJoined: (assigned: readonly Partition[]) => void;
  /** Told why it has to join again. */
  readonly onEnded: (fault: KafkaFault) => void;
}

/** Milliseconds before a consumer that ended is replaced: many must not come back at once. */
const shortestPause = 300, longestPause = 3_000;
/** Milliseconds without a sign of life after which a consumer is replaced. A request may take up to 30 s, with all its retries. */
const stalled = 60_000;
/** Milliseconds the last commit may take. */
const lastCommit = 800;
/** Milliseconds between heartbeats while a batch waits for room. */
const heartbeat = 500;

/** A member of a consumer group that commits what was handled, never before, and comes back whatever happens. */
export class Consumer {
  readonly #options: ConsumerOptions;
  readonly #assignment: Assignment;
  readonly #closing = new AbortController();
  #topics: readonly string[];
  #current: DriverConsumer | undefined;
  #endLife: ((fault?: KafkaFault) => void) | undefined;
  #living: Promise<void> = Promise.resolve();
  #lastSign = 0;
  #handling = 0;
  /** Handled since the last commit. */
  #settled = 0;
  #announceIdle: (() => void) | undefined;
  #announceRoom: (() => void) | undefined;
  #committing: Promise<void> | undefined;
  #commitTimer: NodeJS.Timeout | undefined;

  constructor(options: ConsumerOptions) {
    this.#options = options;
    this.#topics = options.topics;
    this.#assignment = new Assignment(options.starts);
  }

  /** Records that its partitions hold and that are not committed yet. */
  get lag(): number {
    return this.#assignment.lag;
  }

  /** Resolves when it is a member and its start is committed. @throws KafkaFault when the first attempt fails; then it is closed */
  async start(): Promise<void> {
    let announceJoined = (): void => undefined;
    const joined = new Promise<"joined">((resolve) => (announceJoined = () => resolve("joined")));
    const first = this.#live(announceJoined);
    this.#living = first.then(() => undefined);
    const outcome = await Promise.race([joined, first]);
    if (outcome !== "joined") {
      this.#closing.abort();
      throw outcome ?? new KafkaFault("closed", "the consumer is closed");
    }
    this.#living = this.#supervise(first);
  }

  /** Reads these topics from now on. */
  setTopics(topics: readonly string[]): void {
    this.#topics = topics;
    this.#endLife?.();
  }

  /** Takes in nothing more, waits for what is handled, commits, leaves the group. Twice is harmless. */
  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      this.#announceRoom?.();
      while (this.#handling > 0) await new Promise<void>((resolve) => (this.#announceIdle = resolve));
      // One that is under way may have begun before the last record was handled.
      const committed = this.#commit().then(() => this.#commit());
      await Promise.race([committed, this.#options.clock.sleep(lastCommit)]);
      clearTimeout(this.#commitTimer);
      this.#endLife?.();
    }
    await this.#living;
  }

  async #supervise(first: Promise<KafkaFault | undefined>): Promise<void> {
    const { clock, onEnded } = this.#options;
    for (let life = first; ; life = this.#live()) {
      const fault = await life;
      if (this.#closing.signal.aborted) return;
      if (fault === undefined) continue;
      onEnded(fault);
      await clock.sleep(shortestPause + Math.random() * (longestPause - shortestPause), this.#closing.signal);
      if (this.#closing.signal.aborted) return;
    }
  }

  /** One consumer from its making to its end; resolves with why it ended, or nothing if it was told to. */
  async #live(onJoined?: () => void): Promise<KafkaFault | undefined> {
    const { driver, group } = this.#options;
    const consumer = driver.consumer(group);
    let end = (_fault?: KafkaFault): void => undefined;
    const ended = new Promise<KafkaFault | undefined>((resolve) => (end = resolve));
    let isMember = false;
    this.#endLife = end;
    this.#current = consumer;
    this.#lastSign = performance.now();
    const watchdog = setInterval(() => {
      if (performance.now() - this.#lastSign > stalled) end(new KafkaFault("away", `the consumer gave no sign of life for ${stalled / 1000} s`));
    }, stalled / 10).unref();
    const running = consumer.run(this.#topics, {
      joined: (assigned) => {
        isMember = true;
        this.#join(consumer, assigned);
      },
      rebalancing: () => void this.#commit(),
      batch: (batch) => this.#take(batch),
      alive: () => void (this.#lastSign = performance.now()),
      crashed: (thrown) => end(faultOf(thrown)),
    });
    // A crash while it starts to run is told as a crash, and `run` resolves all the same.
    running.then(() => this.#commit()).then(() => (isMember ? onJoined?.() : undefined)).catch((thrown: unknown) => end(faultOf(thrown)));
    const fault = await ended;
    clearInterval(watchdog);
    this.#current = undefined;
    this.#announceRoom?.();
    await consumer.close();
    return fault;
  }

  #join(consumer: DriverConsumer, assigned: readonly Partition[]): void {
    for (const start of this.#assignment.change(assigned)) consumer.seek(start);
    this.#lastSign = performance.now();
    this.#announceRoom?.();
    this.#options.onJoined(assigned);
  }

  async #take(batch: DriverBatch): Promise<void> {
    const { prefetch, idOf } = this.#options;
    const share = this.#assignment.get(batch);
    if (share === undefined) return;
    share.end = batch.end;
    // A consumer that closes holds its batch, and with it its membership, until all is handled.
    const goesOn = (): boolean => batch.current && this.#current !== undefined;
    const waits = (): boolean => this.#closing.signal.aborted || this.#assignment.uncommitted >= prefetch;
    const isMine = (): boolean => this.#assignment.get(batch) === share;
    let last: number | undefined;
    try {
      for (const record of batch.records) {
        while (goesOn() && waits()) await this.#room(batch);
        if (!goesOn() || !isMine()) return;
        const handed = share.window.take(record.offset, idOf(record));
        last = record.offset;
        if (handed !== undefined) this.#hand(record, () => share.window.settle(handed));
      }
    } finally {
      if (last !== undefined && isMine()) batch.advance(last);
    }
  }

  /** Until something was committed, a heartbeat at most. Rejects when the group changes. */
  async #room(batch: DriverBatch): Promise<void> {
    this.#commitNow();
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#announceRoom = resolve;
      timer = setTimeout(resolve, heartbeat);
    });
    clearTimeout(timer);
    this.#lastSign = performance.now();
    await batch.heartbeat();
  }

  #hand(record: IncomingRecord, settle: () => void): void {
    this.#handling++;
    this.#options.handle(record).then(settle).then(
      () => {
        this.#handled();
        // Half of what may be uncommitted waits for it: early enough that nothing stands still.
        if (++this.#settled * 2 >= this.#options.prefetch) this.#commitNow();
        else this.#commitSoon();
      },
      () => this.#handled(),
    );
  }

  #handled(): void {
    if (--this.#handling === 0) this.#announceIdle?.();
  }

  #commitSoon(): void {
    this.#commitTimer ??= setTimeout(() => this.#commitNow(), this.#options.commitInterval);
  }

  #commitNow(): void {
    clearTimeout(this.#commitTimer);
    this.#commitTimer = undefined;
    void this.#commit();
  }

  /** Never rejects: what could not be committed is tried again with the next. */
  #commit(): Promise<void> {
    return (this.#committing ??= this.#commitOnce().finally(() => (this.#committing = undefined)));
  }

  async #commitOnce(): Promise<void> {
    this.#settled = 0;
    const consumer = this.#current;
    const due = this.#assignment.due();
    if (consumer === undefined || due.length === 0) return;
    try {
      await consumer.commit(due);
      for (const { window, offset } of due) window.committed(offset);
      this.#announceRoom?.();
    } catch {
      if (!this.#closing.signal.aborted) this.#commitSoon();
    }
  }
}
