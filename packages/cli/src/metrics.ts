import { monitorEventLoopDelay } from "node:perf_hooks";
import type { BusStats } from "@threatbus/core";
import type { MetricsConfig } from "@threatbus/core/config";
import { serveFigures, type FiguresServer } from "@threatbus/program";
import { prometheusText } from "./prometheus.ts";

export interface MetricsSource {
  /** Nothing before the bus is made. */
  stats(): BusStats | undefined;
  logDropped(): number;
}

/**
 * Serves the figures of a bus, and its health: whether it runs.
 * @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID`
 */
export async function serveMetrics(config: MetricsConfig, source: MetricsSource): Promise<FiguresServer> {
  const delay = monitorEventLoopDelay();
  const server = await serveFigures(config, {
    metrics() {
      const stats = source.stats();
      if (stats === undefined) return undefined;
      const text = prometheusText(stats, { logDropped: source.logDropped(), memory: process.memoryUsage.rss(), loopDelay: delay.percentile(99) / 1e9 });
      delay.reset();
      return text;
    },
    health() {
      const state = source.stats()?.state ?? "starting";
      return { healthy: state === "running", text: state };
    },
  });
  delay.enable();
  return {
    async close() {
      delay.disable();
      await server.close();
    },
  };
}
