import type { Bus, Clock, ConfiguredApp, ConfiguredBackbone, Logger, QueueLimits } from "./contract.ts";
import type { BusState, BusStats } from "./stats.ts";

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

/** A bus, its backbones and its apps. Who subscribes before `start` misses nothing of what a broker kept: it comes as soon as the bus runs. */
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
