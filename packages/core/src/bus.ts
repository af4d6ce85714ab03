import { setImmediate as immediate } from "node:timers/promises";
import type {
  App, Backbone, Bus, Clock, ConfiguredApp, ConfiguredBackbone, Frame, Handler, Host, Logger, Message, QueueLimits,
  SnapshotEnvelope, SnapshotRequest, SubscribeOptions, Subscription, SubscriptionStats, Topic,
} from "./contract.ts";
import { systemClock } from "./clock.ts";
import { Delivery } from "./delivery.ts";
import { ThreatbusError, isThreatbusError, reasonOf } from "./errors.ts";
import type { RefusalReason } from "./errors.ts";
import { longestSnapshot } from "./formats.ts";
import { Interests } from "./interests.ts";
import { callAll, together, withPlugin } from "./lifecycle.ts";
import { named, stderrLogger } from "./logger.ts";
import { Content, contentOf } from "./message.ts";
import { MetricSet } from "./metrics.ts";
import { checkLimits, defaultQueueLimits } from "./queue.ts";
import type { Budget } from "./queue.ts";
import { Router } from "./router.ts";
import { SeenFrames } from "./seen.ts";
import { Snapshots } from "./snapshots.ts";
import { addUp } from "./stats.ts";
import type { BusState, BusStats } from "./stats.ts";
import { ActiveSubscription } from "./subscription.ts";

export interface BusOptions {
  /** At least one. With several, a message goes to each, and each subscriber still sees it once. */
  readonly backbones: readonly ConfiguredBackbone[];
  readonly apps?: readonly ConfiguredApp[];
  /** Default: warnings and errors to standard error. */
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Limits of every subscription that names none of its own. */
  readonly queue?: Partial<QueueLimits>;
  /** Bytes that all queues may hold together. Default 512 MiB. */
  readonly queueBudget?: number;
  /** Milliseconds a plugin may take to start. Default 30,000. */
  readonly startTimeout?: number;
  /** Milliseconds that `stop` waits for queues to drain. Default 10,000. */
  readonly drainTimeout?: number;
  /** Milliseconds a plugin may take to stop. Default 3,000. */
  readonly stopTimeout?: number;
}

/** A bus, its backbones and its apps. */
export interface ThreatBus extends Bus {
  readonly state: BusState;
  /** Backbones, then apps. All or nothing: if one fails, those that stood are stopped again. Once. */
  start(): Promise<void>;
  /**
   * Apps stop taking in, queues drain, apps stop, backbones stop; each bounded in time. Twice is harmless.
   * @throws ThreatbusError `BUS_STOP_INCOMPLETE` when messages were left undelivered (the message says how many), or what plugins failed with
   */
  stop(): Promise<void>;
  stats(): BusStats;
}

interface Member<Instance> {
  readonly name: string;
  readonly instance: Instance;
  readonly metrics: MetricSet;
}

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
  readonly #seen = new SeenFrames();
  readonly #interests = new Interests(() => this.#backbones.map(({ instance }) => instance));
  readonly #snapshots: Snapshots;
  readonly #deliver = (frame: Frame): Promise<void> => this.#arrive(frame);
  #backbones: readonly Member<Backbone>[] = [];
  #apps: readonly Member<App>[] = [];
  #state: BusState = "new";
  #stopped: Promise<void> | undefined;
  #publishing = 0;
  #names = 0;
  readonly #counts = { published: 0, failed: 0, arrived: 0, routed: 0, unmatched: 0, control: 0, duplicates: 0 };
  readonly #refused = new Map<RefusalReason, number>();
  #ended: SubscriptionStats = addUp("ended", []);
  #endedCount = 0;

  constructor(options: BusOptions) {
    const { logger = stderrLogger, clock = systemClock, apps = [], queueBudget = 512 * 1024 * 1024 } = options;
    const { startTimeout = 30_000, drainTimeout = 10_000, stopTimeout = 3_000, backbones } = options;
    if (backbones.length === 0) throw new ThreatbusError("BACKBONE_MISSING", undefined, { hint: "give createBus at least one, e.g. inmem()" });
    checkNames([...backbones, ...apps].map(({ name }) => name));
    this.#options = { backbones, apps, logger, clock, queueBudget, startTimeout, drainTimeout, stopTimeout };
    this.#limits = checkLimits({ ...defaultQueueLimits, ...options.queue });
    this.#budget = { used: 0, max: queueBudget };
    this.#snapshots = new Snapshots({ publish: (message) => this.publish(message), clock, logger, signal: this.#stopping.signal });
  }

  get state(): BusState {
    return this.#state;
  }

  async start(): Promise<void> {
    if (this.#state !== "new") throw new ThreatbusError("BUS_NOT_RUNNING", `a bus starts once; this one is ${this.#state}`);
    this.#state = "starting";
    const { backbones, apps, startTimeout, clock } = this.#options;
    const manner = { failed: "PLUGIN_START_FAILED", late: "PLUGIN_START_TIMEOUT", timeout: startTimeout, clock } as const;
    const attempt = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(startTimeout)]);
    const failures = await this.#create(() => {
      this.#backbones = backbones.map((plugin) => this.#member(plugin.name, (host) => plugin.create(host)));
      this.#apps = apps.map((plugin) => this.#member(plugin.name, (host) => plugin.create(host)));
    });
    if (failures.length === 0) failures.push(...await callAll(this.#backbones.map(({ name, instance }) => ({ plugin: name, run: () => instance.start(this.#deliver, attempt) })), manner));
    if (failures.length === 0) await this.#interests.add(["threatbus/"]);
    if (failures.length === 0) failures.push(...await callAll(this.#apps.map(({ name, instance }) => ({ plugin: name, run: () => instance.start(this.#busFor(name)) })), manner));
    if (this.#stopping.signal.aborted) throw new ThreatbusError("BUS_NOT_RUNNING", "the bus was stopped while it started");
    if (failures.length > 0) {
      await this.stop().catch(() => undefined);
      throw together(failures, "PLUGIN_START_FAILED");
    }
    this.#state = "running";
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
      subscriptions: [...this.#router.all].map(({ stats }) => stats),
      ended: { ...this.#ended, count: this.#endedCount },
      snapshots: this.#snapshots.stats,
      plugins: Object.fromEntries([...this.#backbones, ...this.#apps].map(({ name, metrics }) => [name, metrics.samples()])),
    };
  }

  async #publish(message: Message): Promise<void> {
    if (this.#state === "new" || this.#state === "stopped") throw new ThreatbusError("BUS_NOT_RUNNING", `the bus is ${this.#state}`);
    const content = contentOf(message);
    this.#publishing++;
    try {
      const { blocking } = this.#router.route(content.topic);
      for (const subscription of blocking) while (subscription.full) await subscription.room();
      const [only] = this.#backbones;
      if (only !== undefined && this.#backbones.length === 1) await hand(only, content);
      else await Promise.all(this.#backbones.map((backbone) => hand(backbone, content)));
      this.#counts.published++;
    } catch (thrown) {
      this.#counts.failed++;
      throw thrown;
    } finally {
      this.#publishing--;
    }
  }

  #arrive(frame: Frame): Promise<void> {
    if (frame instanceof Content && this.#backbones.length === 1) {
      if (this.#state === "stopped") return Promise.reject(new ThreatbusError("BUS_NOT_RUNNING"));
      this.#counts.arrived++;
      return this.#route(frame);
    }
    if (this.#state === "stopped" || (this.#state === "stopping" && !(frame instanceof Content))) return Promise.reject(new ThreatbusError("BUS_NOT_RUNNING"));
    this.#counts.arrived++;
    const before = frame.id === "" ? undefined : this.#seen.outcome(frame.id);
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
    const outcome = this.#route(content);
    if (frame.id !== "") this.#seen.remember(frame.id, outcome, this.#options.clock.now());
    return outcome;
  }

  #route(content: Content): Promise<void> {
    const { subscriptions, control } = this.#router.route(content.topic);
    if (control) return this.#control(content, subscriptions);
    if (subscriptions.length === 0) {
      this.#counts.unmatched++;
      return Promise.resolve();
    }
    this.#counts.routed++;
    return offer(content, subscriptions);
  }

  #control(content: Content, subscriptions: readonly ActiveSubscription[]): Promise<void> {
    this.#counts.control++;
    const forwarded = offer(content, subscriptions);
    if (content.topic === "threatbus/snapshotenvelope") return this.#snapshots.receive(content.raw as SnapshotEnvelope);
    for (const { name, instance } of this.#apps) void this.#snapshots.answer(name, instance, content.raw as SnapshotRequest);
    return forwarded;
  }

  async #subscribe(owner: string, topic: Topic | readonly Topic[], handle: Handler, options: SubscribeOptions): Promise<Subscription> {
    if (this.#state !== "starting" && this.#state !== "running") throw new ThreatbusError("BUS_NOT_RUNNING", `the bus is ${this.#state}`);
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
    try {
      await this.#interests.add(topics);
    } catch (thrown) {
      await subscription.close();
      throw thrown;
    }
    if (span > 0) this.#snapshots.ask(subscription, span);
    return subscription;
  }

  #end(subscription: ActiveSubscription): void {
    this.#router.delete(subscription);
    this.#snapshots.forget(subscription);
    this.#interests.remove(subscription.topics).catch(() => undefined);
    void subscription.closed.then(() => {
      this.#ended = addUp("ended", [this.#ended, subscription.stats]);
      this.#endedCount++;
    });
  }

  async #stop(): Promise<void> {
    const { clock, drainTimeout, stopTimeout } = this.#options;
    this.#state = "stopping";
    this.#stopping.abort();
    const done = new AbortController();
    await Promise.race([this.#drained(done.signal), clock.sleep(drainTimeout, done.signal)]);
    done.abort();
    const left = [...this.#router.all];
    const undelivered = left.reduce((sum, { stats }) => sum + stats.waiting, 0);
    for (const subscription of left) subscription.abandon("shutdown");
    const manner = { failed: "PLUGIN_STOP_FAILED", late: "PLUGIN_STOP_TIMEOUT", timeout: stopTimeout, clock } as const;
    const stop = ({ name, instance }: Member<App | Backbone>) => ({ plugin: name, run: () => instance.stop() });
    const failures = [...await callAll(this.#apps.map(stop), manner), ...await callAll(this.#backbones.map(stop), manner)];
    this.#state = "stopped";
    if (undelivered > 0) failures.unshift(new ThreatbusError("BUS_STOP_INCOMPLETE", `${undelivered} messages were left undelivered after ${drainTimeout / 1000} s`));
    if (failures.length > 0) throw together(failures, "BUS_STOP_INCOMPLETE");
  }

  /** Resolves when nothing is under way any more: what handlers publish while draining is waited for too. */
  async #drained(signal: AbortSignal): Promise<void> {
    const busy = (): boolean => this.#publishing > 0 || [...this.#router.all].some(({ stats }) => stats.waiting > 0);
    await immediate();
    while (busy() && !signal.aborted) {
      await Promise.all([...this.#router.all].map((subscription) => subscription.idle()));
      await immediate();
    }
  }

  #busFor(owner: string): Bus {
    return {
      publish: (message) => this.#publish(message),
      subscribe: (topic, handle, options = {}) => this.#subscribe(owner, topic, handle, options),
    };
  }

  #member<Instance>(name: string, create: (host: Host) => Instance): Member<Instance> {
    const metrics = new MetricSet();
    const host: Host = { name, metrics, logger: named(this.#options.logger, name), clock: this.#options.clock, signal: this.#stopping.signal };
    try {
      return { name, metrics, instance: create(host) };
    } catch (thrown) {
      throw withPlugin(thrown, name, "PLUGIN_START_FAILED");
    }
  }

  async #create(make: () => void): Promise<ThreatbusError[]> {
    try {
      make();
      return [];
    } catch (thrown) {
      return [thrown as ThreatbusError];
    }
  }
}

function offer(content: Content, subscriptions: readonly ActiveSubscription[]): Promise<void> {
  const delivery = new Delivery(content);
  for (const subscription of subscriptions) subscription.offer(delivery);
  return delivery.settled;
}

async function hand({ name, instance }: Member<Backbone>, content: Content): Promise<void> {
  try {
    await instance.publish(content);
  } catch (thrown) {
    throw withPlugin(thrown, name, "BACKBONE_FAILED");
  }
}

function checkNames(names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new ThreatbusError("PLUGIN_DUPLICATE", `two plugins are named ${twice}`, { plugin: twice });
}
