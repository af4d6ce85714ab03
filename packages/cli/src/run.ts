import { setTimeout as sleep } from "node:timers/promises";
import { createBus, type BusStats, type ThreatBus } from "@threatbus/core";
import type { LoadedConfig } from "@threatbus/core/config";
import { endOnSignal, exitCodes, type Log, openLog, printable, type FiguresServer } from "@threatbus/program";
import { fail } from "./failure.ts";
import { pluginLines } from "./listening.ts";
import { serveMetrics } from "./metrics.ts";
import { configOf, type GlobalOptions } from "./options.ts";
import { version } from "./version.ts";

/** Milliseconds to deliver what can be delivered after a fault. */
const crashDrain = 2_000;
/** Milliseconds between a stop that was not complete and the end. */
const farewell = 500;
/** Milliseconds after which whatever a plugin left open is no reason to stay. */
const patience = 6_000;

/** Runs a bus until a signal. Ends with the process's exit code set and nothing left that keeps it alive. */
export async function run(options: GlobalOptions): Promise<void> {
  const config = await configOf(options);
  const log = await openLog(config.logging, { verbose: options.verbose, format: options.logFormat });
  let bus: ThreatBus | undefined;
  let ran = false;
  onFault(log, () => bus?.stop());
  const signalled = endOnSignal();
  // A bus waits for its signal, whether or not a plugin holds anything open.
  const alive = setInterval(() => undefined, 2 ** 30);
  let metrics: FiguresServer | undefined;
  try {
    // Before the bus: a port that is taken ends the start before anything is connected.
    if (config.metrics !== undefined) {
      metrics = await serveMetrics(config.metrics, { stats: () => bus?.stats(), logDropped: () => log.dropped });
    }
    bus = createBus({ ...config.bus, logger: log });
    const started = bus.start();
    const signal = await Promise.race([started, signalled]);
    ran = signal === undefined;
    if (ran) announce(config, options, log);
    log.info("stopping; a second signal ends at once", { signal: signal ?? (await signalled) });
    // A start that was broken off fails; nobody waits for it.
    started.catch(() => undefined);
    await bus.stop();
  } catch (error) {
    log.note("ended with a failure", { error });
    fail(error, options.logFormat === "json");
  }
  clearInterval(alive);
  if (ran && bus !== undefined) log.info("stopped", accounts(bus.stats()));
  await metrics?.close();
  await log.close();
  if (process.exitCode === exitCodes.failed) {
    // Enough was waited for those who do not read; the others get what is on its way to them.
    await sleep(farewell);
    process.exit();
  }
  // The process ends by itself, so that sockets finish sending what they hold.
  setTimeout(() => {
    process.stderr.write("threatbus: a plugin keeps the process alive after its stop; ending it\n");
    process.exit();
  }, patience).unref();
}

function announce(config: LoadedConfig, { logFormat }: GlobalOptions, log: Log): void {
  const { metrics, origin } = config;
  const lines = pluginLines(config);
  if (metrics !== undefined) lines.push(`  metrics at http://${metrics.host}:${metrics.port}/metrics`);
  if (logFormat === "json") log.info("running", { version, configuration: origin, plugins: lines.map((line) => line.trim()) });
  else process.stdout.write(`Threat Bus ${version} is running (${printable(origin)}). Ctrl-C ends it.\n${lines.join("\n")}\n`);
}

/** The figures a person wants to see at the end. */
function accounts({ published, failed, arrived, unmatched, refused, subscriptions, ended }: BusStats): Record<string, number> {
  const all = [ended, ...subscriptions];
  const sum = (of: (stats: (typeof all)[number]) => number): number => all.reduce((total, stats) => total + of(stats), 0);
  return {
    published,
    failed,
    arrived,
    unmatched,
    undecodable: Object.values(refused).reduce((total, count) => total + count, 0),
    delivered: sum((stats) => stats.delivered),
    refused: sum((stats) => stats.refused),
    superseded: sum((stats) => stats.superseded),
    dropped: sum(({ dropped }) => Object.values(dropped).reduce((total, count) => total + count, 0)),
  };
}

/** After a fault nobody handled nothing can be trusted: says so, delivers what it can in two seconds, and ends. */
function onFault(log: Log, stop: () => Promise<void> | undefined): void {
  let faulty = false;
  const end = async (thrown: unknown): Promise<void> => {
    if (faulty) return;
    faulty = true;
    log.critical("a fault that nothing handled; ending", { error: thrown, stack: thrown instanceof Error ? thrown.stack : undefined });
    await Promise.race([Promise.resolve(stop()).catch(() => undefined), sleep(crashDrain)]);
    await Promise.race([log.close(), sleep(500)]);
    process.exit(exitCodes.crashed);
  };
  process.on("uncaughtException", (error) => void end(error));
  process.on("unhandledRejection", (reason) => void end(reason));
}
