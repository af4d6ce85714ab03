import type { Clock, Configured, Host, Logger } from "./contract.ts";
import { ThreatbusError } from "./errors.ts";
import { withPlugin } from "./lifecycle.ts";
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
