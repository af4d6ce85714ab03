import { createServer, type Server } from "node:http";
import { reasonOf, ThreatbusError } from "@threatbus/core";

export interface Served {
  /** In the text format of Prometheus; nothing before there are figures. */
  metrics(): string | undefined;
  /** Whether the program does its work, and one line about it. */
  health(): { readonly healthy: boolean; readonly text: string };
}

export interface FiguresServer {
  /** Ends connections and frees the port. */
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` and `GET /health`, also as `/healthz` (200 while the program is healthy, else 503).
 * @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID`
 */
export async function serveFigures({ host, port }: { readonly host: string; readonly port: number }, served: Served): Promise<FiguresServer> {
  const server = createServer({ requestTimeout: 5_000, headersTimeout: 5_000, maxHeaderSize: 8_192 }, (request, response) => {
    const [path] = (request.url ?? "").split("?");
    const answer = (status: number, text: string, type = "text/plain; charset=utf-8"): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(text);
    };
    request.resume();
    if (request.method !== "GET" && request.method !== "HEAD") answer(405, "GET only\n");
    else if (path === "/health" || path === "/healthz") {
      const { healthy, text } = served.health();
      answer(healthy ? 200 : 503, `${text}\n`);
    } else if (path !== "/metrics") answer(404, "there is /metrics and /health\n");
    else {
      const text = served.metrics();
      if (text === undefined) answer(503, "starting\n");
      else answer(200, text, "text/plain; version=0.0.4; charset=utf-8");
    }
  });
  server.maxConnections = 64;
  await listening(server, host, port);
  return {
    async close() {
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
