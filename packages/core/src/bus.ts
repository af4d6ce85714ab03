import { setImmediate as immediate } from "node:timers/promises";
import type { BusOptions, ThreatBus } from "./bus-options.ts";
import type {
  App, Backbone, Bus, Frame, Handler, Message, QueueLimits, SnapshotEnvelope, SnapshotRequest, SubscribeOptions, Subscription,
  SubscriptionStats, Topic,
} from "./contract.ts";
import { systemClock } from "./clock.ts";
import { ThreatbusError, isThreatbusError, reasonOf } from "./errors.ts";
import type { RefusalReason } from "./errors.ts";
import { longestSnapshot } from "./formats.ts";
import { Interests } from "./interests.ts";
import { watchLag } from "./lag.ts";
import { callAll, together } from "./lifecycle.ts";
import { stderrLogger } from "./logger.ts";
import { checkNames, hand, makeMember, startBackbones } from "./members.ts";
import type { Member } from "./members.ts";
import { Content, contentOf } from "./message.ts";
import { checkLimits, defaultQueueLimits } from "./queue.ts";
import type { Budget } from "./queue.ts";
import { Router } from "./router.ts";
import { SeenFrames } from "./seen.ts";
import { Snapshots } from "./snapshots.ts";
import { addUp } from "./stats.ts";
import type { BusState, BusStats } from "./stats.ts";
import { ActiveSubscription, offerAll } from "./subscription.ts";

/** What becomes of a frame; the promise is made when asked for. */
interface Outcome {
  readonly settled: Promise<void>;
}

const isFull = ({ full }: ActiveSubscription): boolean => full;

const acknowledged: Promise<void> = Promise.resolve();

/** Composes a bus. Nothing is connected before `start`. */
export function createBus(options: BusOptions): ThreatBus {
  return new ComposedBus(options);
}

class ComposedBus implements ThreatBus {
  readonly #options: Required<Omit<BusOptions, "queue">>;
  readonly #limits: QueueLimits;
  readonly #budget: Budget;
  readonly #stopping = new AbortController();
  readonly #router = new Router();
  /** Every subscription whose figures are not yet among the ended: those whose last handler is still busy too. */
  readonly #subscriptions = new Set<ActiveSubscription>();
  readonly #seen = new SeenFrames();
  readonly #interests = new Interests(() => this.#backbones);
  readonly #snapshots: Snapshots;
  readonly #deliver = (frame: Frame): Promise<void> => this.#arrive(frame);
  #backbones: readonly Member<Backbone>[] = [];
  #apps: readonly Member<App>[] = [];
  #state: BusState = "new";
  /** The backbones have started: frames can flow. */
  #flowing = false;
  #starting: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;
  #announceReady: () => void = () => undefined;
  /** Resolves when the apps have started, or never will. */
  readonly #ready: Promise<void> = new Promise((resolve) => (this.#announceReady = resolve));
  #publishing = 0;
  #announcePublished: () => void = () => undefined;
  #names = 0;
  readonly #counts = { published: 0, failed: 0, arrived: 0, routed: 0, unmatched: 0, control: 0, duplicates: 0 };
  readonly #refused = new Map<RefusalReason, number>();
  #ended: SubscriptionStats = addUp("ended", []);
  #endedCount = 0;

  constructor(options: BusOptions) {
    const { logger = stderrLogger, clock = systemClock, apps = [], queueBudget = 512 * 1024 * 1024 } = options;
    const { startTimeout = 30_000, drainTimeout = 10_000, stopTimeout = 3_000, backbones } = options;
    if (backbones.length === 0) throw new ThreatbusError("BACKBONE_MISSING", undefined, { hint: "give createBus at least one, e.g. inmem()" });
    checkNames([...backbones, ...apps]);
    this.#options = { backbones, apps, logger, clock, queueBudget, startTimeout, drainTimeout, stopTimeout };
    this.#limits = checkLimits({ ...defaultQueueLimits, ...options.queue });
    this.#budget = { used: 0, max: queueBudget };
    this.#snapshots = new Snapshots({ publish: (message) => this.publish(message), clock, logger, ready: this.#ready, signal: this.#stopping.signal });
  }

  get state(): BusState {
    return this.#state;
  }

  async start(): Promise<void> {
    if (this.#state !== "new") throw new ThreatbusError("BUS_NOT_RUNNING", `a bus starts once; this one is ${this.#state}`);
    this.#state = "starting";
    const raised = this.#raise();
    this.#starting = raised;
    const failures = await raised;
    if (this.#stopping.signal.aborted) throw new ThreatbusError("BUS_NOT_RUNNING", "the bus was stopped while it started");
    if (failures.length > 0) {
      await this.stop().catch(() => undefined);
      throw together(failures, "PLUGIN_START_FAILED");
    }
    this.#state = "running";
    this.#announceReady();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  publish(message: Message): Promise<void> {
    return this.#publish(message);
  }

  subscribe(topic: Topic | readonly Topic[], handle: Handler, options: SubscribeOptions = {}): Promise<Subscription> {
    return this.#subscribe("bus", topic, handle, options);
  }

  stats(): BusStats {
    return {
      state: this.#state,
      ...this.#counts,
      refused: Object.fromEntries(this.#refused),
      subscriptions: [...this.#subscriptions].map(({ stats }) => stats),
      ended: { ...this.#ended, count: this.#endedCount },
      snapshots: this.#snapshots.stats,
      plugins: Object.fromEntries([...this.#backbones, ...this.#apps].map(({ name, metrics }) => [name, metrics.samples()])),
    };
  }

  /** Makes and starts the backbones, then the apps. Returns what failed. */
  async #raise(): Promise<ThreatbusError[]> {
    const { backbones, apps, startTimeout, clock, logger } = this.#options;
    const { signal } = this.#stopping;
    try {
      this.#backbones = backbones.map((plugin) => makeMember(plugin, (host) => plugin.create(host), { logger, clock, signal }));
      this.#apps = apps.map((plugin) => makeMember(plugin, (host) => plugin.create(host), { logger, clock, signal }));
    } catch (thrown) {
      return [thrown as ThreatbusError];
    }
    const manner = { failed: "PLUGIN_START_FAILED", late: "PLUGIN_START_TIMEOUT", timeout: startTimeout, clock } as const;
    const failures = await startBackbones(this.#backbones, this.#deliver, manner, signal);
    if (failures.length > 0 || signal.aborted) return failures;
    const untold = await this.#interests.tellAll().then(() => undefined, (thrown: ThreatbusError) => thrown);
    if (untold !== undefined) return [untold];
    this.#flowing = true;
    void watchLag(this.#subscriptions, clock, signal);
    return callAll(this.#apps.map(({ name, instance }) => ({ plugin: name, run: () => instance.start(this.#busFor(name)) })), manner);
  }

  async #publish(message: Message): Promise<void> {
    if (!this.#flowing || this.#state === "stopped") throw this.#notRunning();
    const content = contentOf(message);
    this.#publishing++;
    try {
      // After every wait all are asked again: who had room may be full by now.
      for (let full; (full = this.#router.route(content.topic).blocking.find(isFull)) !== undefined; ) await full.room();
      const [only] = this.#backbones;
      if (only !== undefined && this.#backbones.length === 1) await hand(only, content);
      else await Promise.all(this.#backbones.map((backbone) => hand(backbone, content)));
      this.#counts.published++;
    } catch (thrown) {
      this.#counts.failed++;
      throw thrown;
    } finally {
      if (--this.#publishing === 0) this.#announcePublished();
    }
  }

  #notRunning(): ThreatbusError {
    return new ThreatbusError("BUS_NOT_RUNNING", `the bus is ${this.#state}`);
  }

  #arrive(frame: Frame): Promise<void> {
    // What a broker kept waits until the apps have subscribed.
    if (this.#state === "starting" && !(frame instanceof Content)) return this.#ready.then(() => this.#arrive(frame));
    if (frame instanceof Content && this.#backbones.length === 1) {
      if (this.#state === "stopped") return Promise.reject(this.#notRunning());
      this.#counts.arrived++;
      this.#route(frame);
      // It never left this process, so nobody could offer it again: that it is queued is all there is to acknowledge.
      return acknowledged;
    }
    if (this.#state === "stopped" || (this.#state === "stopping" && !(frame instanceof Content))) return Promise.reject(this.#notRunning());
    this.#counts.arrived++;
    // With no subscription to anything there is no need to know what is inside; but `threatbus/…` is the bus's own.
    if (this.#subscriptions.size === 0 && frame.topic !== "" && !frame.topic.startsWith("threatbus/")) return this.#unmatched().settled;
    const before = this.#seen.outcome(frame.id);
    if (before !== undefined) {
      this.#counts.duplicates++;
      return before;
    }
    let content: Content;
    try {
      content = contentOf(frame);
    } catch (thrown) {
      const reason = isThreatbusError(thrown) ? thrown.reason : undefined;
      if (reason !== undefined) this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
      return Promise.reject(thrown instanceof Error ? thrown : new Error(reasonOf(thrown)));
    }
    const now = this.#options.clock.now();
    const outcome = this.#route(content, now).settled;
    this.#seen.remember(frame.id, outcome, now);
    return outcome;
  }

  #unmatched(): Outcome {
    this.#counts.unmatched++;
    return { settled: acknowledged };
  }

  /** @param since when a broker brought it, which waits for the outcome */
  #route(content: Content, since?: number): Outcome {
    const { subscriptions, control } = this.#router.route(content.topic);
    if (control) return this.#control(content, subscriptions, since);
    if (subscriptions.length === 0) return this.#unmatched();
    this.#counts.routed++;
    return offerAll(content, subscriptions, since);
  }

  #control(content: Content, subscriptions: readonly ActiveSubscription[], since?: number): Outcome {
    this.#counts.control++;
    const forwarded = offerAll(content, subscriptions, since);
    if (content.topic === "threatbus/snapshotenvelope") {
      const history = this.#snapshots.receive(content.raw as SnapshotEnvelope, since);
      return { get settled() { return Promise.all([forwarded.settled, history.settled]).then(() => undefined); } };
    }
    for (const { name, instance } of this.#apps) void this.#snapshots.answer(name, instance, content.raw as SnapshotRequest);
    return forwarded;
  }

  async #subscribe(owner: string, topic: Topic | readonly Topic[], handle: Handler, options: SubscribeOptions): Promise<Subscription> {
    if (!(this.#flowing || this.#state === "new") || this.#stopping.signal.aborted) throw this.#notRunning();
    const topics = typeof topic === "string" ? [topic] : [...new Set(topic)];
    const span = options.snapshot ?? 0;
    if (!(span >= 0 && span <= longestSnapshot)) throw new ThreatbusError("OPTIONS_INVALID", "snapshot is no number of seconds up to 100 years", { plugin: owner });
    const subscription = new ActiveSubscription({
      name: options.name ?? `${owner}#${++this.#names}`,
      topics,
      handle,
      limits: checkLimits({ ...this.#limits, ...options.queue }),
      budget: this.#budget,
      logger: this.#options.logger,
      onEnd: (ended) => this.#end(ended),
    });
    this.#router.add(subscription);
    this.#subscriptions.add(subscription);
    try {
      await this.#interests.add(topics);
    } catch (thrown) {
      await subscription.close();
      throw thrown;
    }
    if (span > 0 && !subscription.ended) this.#snapshots.ask(subscription, span);
    return subscription;
  }

  #end(subscription: ActiveSubscription): void {
    this.#router.delete(subscription);
    this.#snapshots.forget(subscription);
    this.#interests.remove(subscription.topics).catch(() => undefined);
    void subscription.closed.then(() => {
      this.#subscriptions.delete(subscription);
      this.#ended = addUp("ended", [this.#ended, subscription.stats]);
      this.#endedCount++;
    });
  }

  async #stop(): Promise<void> {
    const { clock, drainTimeout, stopTimeout } = this.#options;
    this.#state = "stopping";
    this.#stopping.abort();
    this.#announceReady();
    const done = new AbortController();
    await Promise.race([this.#drained(done.signal), clock.sleep(drainTimeout, done.signal)]);
    done.abort();
    const left = [...this.#subscriptions];
    const undelivered = left.reduce((sum, { stats }) => sum + stats.waiting, 0);
    for (const subscription of left) subscription.abandon("shutdown");
    const manner = { failed: "PLUGIN_STOP_FAILED", late: "PLUGIN_STOP_TIMEOUT", timeout: stopTimeout, clock } as const;
    const stop = ({ name, instance }: Member<App | Backbone>) => ({ plugin: name, run: () => instance.stop() });
    const failures = [...await callAll(this.#apps.map(stop), manner), ...await callAll(this.#backbones.map(stop), manner)];
    this.#state = "stopped";
    if (undelivered > 0) failures.unshift(new ThreatbusError("BUS_STOP_INCOMPLETE", `${undelivered} messages were left undelivered after ${drainTimeout / 1000} s`));
    if (failures.length > 0) throw together(failures, "BUS_STOP_INCOMPLETE");
  }

  /** Resolves when nothing is under way any more: what starts, and what handlers publish while draining, is waited for too. */
  async #drained(signal: AbortSignal): Promise<void> {
    await this.#starting;
    const busy = (): boolean => this.#publishing > 0 || [...this.#subscriptions].some(({ stats }) => stats.waiting > 0);
    await immediate();
    while (busy() && !signal.aborted) {
      const published = this.#publishing === 0 ? undefined : new Promise<void>((resolve) => (this.#announcePublished = resolve));
      await Promise.all([published, ...[...this.#subscriptions].map((subscription) => subscription.idle())]);
      await immediate();
    }
  }

  #busFor(owner: string): Bus {
    return {
      publish: (message) => this.#publish(message),
      subscribe: (topic, handle, options = {}) => this.#subscribe(owner, topic, handle, options),
    };
  }
}
