import { createServer, type Server } from "node:http";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { reasonOf, ThreatbusError, type BusStats } from "@threatbus/core";
import type { MetricsConfig } from "@threatbus/core/config";
import { prometheusText } from "./prometheus.ts";

export interface MetricsSource {
  /** Nothing before the bus is made. */
  stats(): BusStats | undefined;
  logDropped(): number;
}

export interface MetricsServer {
  /** Ends connections and frees the port. */
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` and `GET /health` (200 while the bus runs, else 503).
 * @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID`
 */
export async function serveMetrics({ host, port }: MetricsConfig, source: MetricsSource): Promise<MetricsServer> {
  const delay = monitorEventLoopDelay();
  delay.enable();
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 }, (request, response) => {
    const [path] = (request.url ?? "").split("?");
    const stats = source.stats();
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    };
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") answer(405, "GET only\n");
    else if (path === "/health") answer(stats?.state === "running" ? 200 : 503, `${stats?.state ?? "starting"}\n`);
    else if (path !== "/metrics") answer(404, "there is /metrics and /health\n");
    else if (stats === undefined) answer(503, "the bus is starting\n");
    else {
      const figures = { logDropped: source.logDropped(), memory: process.memoryUsage.rss(), loopDelay: delay.percentile(99) / 1e9 };
      delay.reset();
      answer(200, prometheusText(stats, figures), "text/plain; version=0.0.4; charset=utf-8");
    }
  });
  server.maxConnections = 64;
  try {
    await listening(server, host, port);
  } catch (error) {
    delay.disable();
    throw error;
  }
  return {
    async close() {
      delay.disable();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.on("error", (error: NodeJS.ErrnoException) => {
      reject(
        error.code === "EADDRINUSE"
          ? new ThreatbusError("PORT_IN_USE", `port ${port} on ${host} is taken by another program`, {
              hint: "end that program, or choose another port: metrics.port",
              cause: error,
            })
          : new ThreatbusError("ADDRESS_INVALID", `${host}:${port} cannot be listened on: ${reasonOf(error)}`, { hint: "set metrics.host and metrics.port", cause: error }),
      );
    });
    server.listen(port, host, () => resolve());
  });
}
