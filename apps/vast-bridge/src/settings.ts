/** From the configuration to what the parts of the bridge take. */
import { loadSettings } from "@threatbus/core/config";
import type { LoadedSettings } from "@threatbus/core/config";
import type { CommandLimits } from "./command.ts";
import { splitCommand } from "./command.ts";
import { createLogsEngine } from "./engines/logs/index.ts";
import { createTenzirEngine } from "./engines/tenzir/index.ts";
import { createVastEngine } from "./engines/vast/index.ts";
import type { Engine, EngineHost } from "./engine.ts";
import { schema } from "./options.ts";
import type { BridgeConfig } from "./options.ts";
import type { Outlet } from "./outlet.ts";
import { commandSink, standardOutput } from "./outlet.ts";

export interface ConfigSource {
  readonly config?: string | undefined;
  readonly set: readonly string[];
}

/** @throws ThreatbusError `CONFIG_NOT_FOUND`, `CONFIG_INVALID` */
export function readConfig({ config, set }: ConfigSource): Promise<LoadedSettings<BridgeConfig>> {
  return loadSettings({ schema, prefix: "VAST_THREATBUS_", file: config, set });
}

export function engineOf(config: BridgeConfig, host: EngineHost): Engine {
  if (config.engine === "tenzir") return createTenzirEngine(config.tenzir, host);
  if (config.engine === "logs") return createLogsEngine(config.logs, host);
  return createVastEngine(
    {
      endpoint: config.vast,
      binary: config.vast_binary,
      release: config.vast_release,
      matcherName: config.matcher_name,
      parallel: config.max_background_tasks,
      maxEvents: unlimited(config.retro_match_max_events),
      retro: config.retro_match,
      live: config.live_match,
    },
    host,
  );
}

/** `host:port`, IPv6 hosts in brackets. */
export function hostAndPort(endpoint: string): { readonly host: string; readonly port: number } {
  const colon = endpoint.lastIndexOf(":");
  return { host: endpoint.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(endpoint.slice(colon + 1)) };
}

/** Nothing: the bus. */
export function outletOf({ sink }: BridgeConfig, limits: CommandLimits): Outlet | undefined {
  if (sink === undefined) return undefined;
  return isStandardOutput(sink) ? standardOutput() : commandSink(splitCommand(sink), limits);
}

export function isStandardOutput(sink: string): boolean {
  return sink.toUpperCase() === "STDOUT";
}

/** In options, 0 stands for all there is. */
export function unlimited(value: number, unit: number = 1): number {
  return value === 0 ? Infinity : value * unit;
}
