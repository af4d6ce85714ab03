import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lockFile, systemClock } from "@threatbus/core";
import { endOnSignal, exitCodes, exposition, fail, openLog, printable, sampleExposition, serveFigures, UserError } from "@threatbus/program";
import type { FiguresServer, Log } from "@threatbus/program";
import { AllowList } from "./allow-list.ts";
import { Bridge } from "./bridge.ts";
import type { CommandLimits } from "./command.ts";
import { splitCommand } from "./command.ts";
import { EngineError } from "./engine.ts";
import { MetricsFile } from "./metrics-file.ts";
import type { BridgeConfig } from "./options.ts";
import { Progress } from "./progress.ts";
import { engineOf, hostAndPort, isStandardOutput, outletOf, readConfig, unlimited } from "./settings.ts";
import type { ConfigSource } from "./settings.ts";
import { Slots } from "./slots.ts";
import { transformBy } from "./transform.ts";
import { programName, version } from "./version.ts";

export interface RunOptions extends ConfigSource {
  readonly verbose: boolean;
  readonly logFormat: "text" | "json";
}

/** Milliseconds after which whatever is left open is no reason to stay. */
const patience = 5_000;
/** Who reports, by engine: the first is the reference's word. */
const sources: Readonly<Record<BridgeConfig["engine"], string>> = { vast: "VAST", tenzir: "Tenzir", logs: "logs" };
/** Lines taken of one transformation. */
const mostLines = 1_000;

/** Runs the bridge until a signal. Ends with the process's exit code set and nothing left that keeps it alive. */
export async function run(options: RunOptions): Promise<void> {
  const { value: config, origin } = await readConfig(options);
  const log = await openLog(config.logging, { verbose: options.verbose, format: options.logFormat });
  let figures: FiguresServer | undefined;
  let free: () => void = () => undefined;
  onFault(log);
  const signalled = endOnSignal();
  const alive = setInterval(() => undefined, 2 ** 30);
  try {
    free = prepare(config.state_dir);
    const own = onDisk(config.state_dir, () => makeBridge(config, log));
    const { host, port } = config.metrics;
    if (port !== undefined) figures = await serveFigures({ host, port }, { metrics: () => metricsOf(own, log), health: () => own.health() });
    const file = metricsFile(config, own, log);
    const progress = new Progress(() => own.backlog, log);
    try {
      const signal = await Promise.race([own.start(), signalled]);
      if (signal === undefined) announce(config, origin, options, log);
      log.info("stopping; a second signal ends at once", { signal: signal ?? (await signalled), searches: own.backlog ?? 0, sightings: own.outgoing });
    } finally {
      progress.close();
      await own.stop();
      await file?.close();
    }
    log.info("stopped", { searches: own.backlog ?? 0, sightings: own.outgoing });
  } catch (thrown) {
    const told = userError(thrown);
    log.note("ended with a failure", { error: told });
    fail(told, programName, options.logFormat === "json");
  }
  clearInterval(alive);
  free();
  await figures?.close();
  await log.close();
  setTimeout(() => process.exit(), patience).unref();
}

/** The folder for the state, there and of this process alone: two that write one file would spoil it. Returns what gives it free. */
function prepare(stateDir: string): () => void {
  const path = join(stateDir, "lock");
  const lock = onDisk(stateDir, () => {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    return lockFile(path);
  });
  if ("holder" in lock) throw new UserError(exitCodes.unavailable, `${path} is held by process ${lock.holder}`, "end that bridge, or give this one another state_dir");
  return lock.release;
}

/** @throws UserError for what the system throws */
function onDisk<Made>(stateDir: string, make: () => Made): Made {
  try {
    return make();
  } catch (thrown) {
    if (!(thrown instanceof Error && "syscall" in thrown)) throw thrown;
    throw new UserError(exitCodes.cannotCreate, `state_dir ${printable(stateDir)} cannot be used: ${thrown.message}`, "set state_dir to a folder of this user's");
  }
}

function makeBridge(config: BridgeConfig, log: Log): Bridge {
  const stateDir = realpathSync(config.state_dir);
  const { sink, transform_context: transform, command_parallel: parallel } = config;
  return new Bridge({
    stateDir,
    bus: { ...hostAndPort(config.threatbus), snapshot: config.snapshot, reports: sink === undefined },
    catalogue: { allowed: new AllowList(config.allow), manualLabels: config.manual_labels, lifetime: unlimited(config.lifetime, 1_000) },
    repeats: { window: config.dedup.window * 1_000, fields: config.dedup.fields },
    retro: config.retro_match
      ? {
          maxEvents: unlimited(config.retro_match_max_events),
          timeout: config.retro_match_timeout * 1_000,
          lookback: unlimited(config.retro_match_lookback, 1_000),
          again: config.retro_match_again * 1_000,
        }
      : undefined,
    live: config.live_match,
    // Many, since each waits until the bus has handed it back; one, so that what is printed is in order.
    parallel: sink === undefined ? 100 : transform === undefined && isStandardOutput(sink) ? 1 : parallel,
    drain: config.shutdown_timeout * 1_000,
    source: sources[config.engine],
    makeEngine: (host) => engineOf(config, host),
    makeReporting({ metrics, signal }) {
      const limits: CommandLimits = { timeout: config.command_timeout * 1_000, lines: mostLines, slots: new Slots(parallel), owner: join(stateDir, "engine"), signal };
      const failed = (reason: string): void => log.warn("transform_context failed; the event is reported as it is", { reason });
      return {
        outlet: outletOf(config, limits),
        transform: transform === undefined ? undefined : transformBy(splitCommand(transform), limits, metrics, failed),
      };
    },
    logger: log,
  });
}

function metricsFile({ metrics: { filename, interval } }: BridgeConfig, bridge: Bridge, log: Log): MetricsFile | undefined {
  if (filename === undefined && interval === undefined) return undefined;
  return new MetricsFile({ filename: filename ?? "metrics.log", interval: interval ?? 10 }, bridge.interval, () => bridge.backlog, { clock: systemClock, logger: log });
}

function metricsOf(bridge: Bridge, log: Log): string {
  return [
    exposition("vast_threatbus_up", "gauge", "1 while everything is connected that should be.", [[{}, bridge.health().healthy ? 1 : 0]]),
    ...sampleExposition("vast_threatbus_", "Told in the bridge's README.", bridge.samples()),
    exposition("vast_threatbus_log_dropped_total", "counter", "Log entries that could not be written.", [[{}, log.dropped]]),
    exposition("vast_threatbus_resident_memory_bytes", "gauge", "Memory of the process.", [[{}, process.memoryUsage.rss()]]),
  ].join("");
}

function announce(config: BridgeConfig, origin: string, { logFormat }: RunOptions, log: Log): void {
  const { metrics, engine, threatbus, sink } = config;
  const what = [config.retro_match ? "searches the past" : "", config.live_match ? "watches what comes" : ""].filter(Boolean).join(" and ");
  const lines = [
    `  ${engine} ${what}`,
    `  indicators from ${threatbus}, ${sink === undefined ? "sightings to it" : `events to ${sink}`}`,
    ...(metrics.port === undefined ? [] : [`  metrics at http://${metrics.host}:${metrics.port}/metrics`]),
  ];
  if (logFormat === "json") log.info("running", { version, configuration: origin, about: lines.map((line) => line.trim()) });
  // Standard output may be the sink.
  else process.stderr.write(`${programName} ${version} is running (${printable(origin)}). Ctrl-C ends it.\n${lines.map(printable).join("\n")}\n`);
}

/** What an engine throws is for people, and theirs to put right. */
function userError(thrown: unknown): unknown {
  return thrown instanceof EngineError ? new UserError(exitCodes.unavailable, thrown.message, thrown.hint) : thrown;
}

/** After a fault nobody handled nothing can be trusted but what is on disk, which is everything: says so, and ends. */
function onFault(log: Log): void {
  let faulty = false;
  const end = async (thrown: unknown): Promise<void> => {
    if (faulty) return;
    faulty = true;
    log.critical("a fault that nothing handled; ending", { error: thrown, stack: thrown instanceof Error ? thrown.stack : undefined });
    await Promise.race([log.close(), sleep(500)]);
    process.exit(exitCodes.crashed);
  };
  process.on("uncaughtException", (error) => void end(error));
  process.on("unhandledRejection", (reason) => void end(reason));
}
