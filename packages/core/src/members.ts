import type { Backbone, Clock, Configured, Deliver, Frame, Host, Logger } from "./contract.ts";
import { ThreatbusError } from "./errors.ts";
import { controlPrefix } from "./interests.ts";
import { callAll, withPlugin } from "./lifecycle.ts";
import type { Manner } from "./lifecycle.ts";
import { named } from "./logger.ts";
import { MetricSet } from "./metrics.ts";

/** A plugin of this bus, made. */
export interface Member<Instance> {
  readonly name: string;
  readonly instance: Instance;
  readonly metrics: MetricSet;
}

interface Surroundings {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Fires when the bus begins to stop. */
  readonly signal: AbortSignal;
}

/** @throws ThreatbusError with the plugin's name */
export function makeMember<Instance>({ name }: Configured, create: (host: Host) => Instance, { logger, clock, signal }: Surroundings): Member<Instance> {
  const metrics = new MetricSet();
  try {
    return { name, metrics, instance: create({ name, metrics, clock, signal, logger: named(logger, name) }) };
  } catch (thrown) {
    throw withPlugin(thrown, name, "PLUGIN_START_FAILED");
  }
}

/** @throws ThreatbusError `PLUGIN_DUPLICATE` */
export function checkNames(plugins: readonly Configured[]): void {
  const names = plugins.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new ThreatbusError("PLUGIN_DUPLICATE", `two plugins are named ${twice}`, { plugin: twice });
}

/** Milliseconds that a backbone which did not start in time has to say why. */
const lastWords = 1_000;

/** Starts them side by side and asks each for the bus's own topics. Returns what failed; those that still try are then told to give up. */
export async function startBackbones(
  backbones: readonly Member<Backbone>[],
  deliver: Deliver,
  manner: Manner,
  stopping: AbortSignal,
): Promise<ThreatbusError[]> {
  const attempt = new AbortController();
  const giveUp = (): void => attempt.abort();
  stopping.addEventListener("abort", giveUp);
  const start = async (backbone: Backbone): Promise<void> => {
    await backbone.start(deliver, attempt.signal);
    await backbone.subscribe?.(controlPrefix);
  };
  const done = new AbortController();
  void manner.clock.sleep(manner.timeout, done.signal).then(() => done.signal.aborted || giveUp());
  const calls = backbones.map(({ name, instance }) => ({ plugin: name, run: () => start(instance) }));
  const failures = await callAll(calls, { ...manner, timeout: manner.timeout + lastWords });
  done.abort();
  stopping.removeEventListener("abort", giveUp);
  if (failures.length > 0) giveUp();
  return failures;
}

/** @throws ThreatbusError `BACKBONE_FAILED` with the backbone's name */
export async function hand({ name, instance }: Member<Backbone>, frame: Frame): Promise<void> {
  try {
    await instance.publish(frame);
  } catch (thrown) {
    throw withPlugin(thrown, name, "BACKBONE_FAILED");
  }
}
