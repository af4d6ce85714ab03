import { once } from "node:events";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { ThreatbusError, message, reasonOf } from "@threatbus/core";
import type { App, Bus, Host } from "@threatbus/core";
import type { Indicator } from "stix2-ts-types";
import { linesOf } from "./lines.ts";
import type { TemplateOptions } from "./options.ts";
import { lineFor, seenIn, sightingOf, watchesOf } from "./translate.ts";
import type { Watch } from "./translate.ts";

/** Bytes that may wait for one tool: one slower than that is disconnected, and told everything when it comes back. */
const longestBacklog = 16 * 1024 * 1024;

/** All state lives in here, none in the module: one process may run this twice. */
export function createTemplate(options: TemplateOptions, host: Host): App {
  const tools = new Set<Socket>();
  const known = new Map<string, Indicator>();
  const reported = host.metrics.counter("template_sightings");
  const refused = host.metrics.counter("template_lines_refused");
  const server = createServer();
  let listening: Promise<unknown> = Promise.resolve();

  function tell({ value, indicator, removed }: Watch): void {
    known.delete(value);
    if (!removed) known.set(value, indicator);
    for (const tool of tools) send(tool, lineFor(value, removed));
    const [oldest] = known.keys();
    if (oldest === undefined || known.size <= options.max_indicators) return;
    known.delete(oldest);
    for (const tool of tools) send(tool, lineFor(oldest, true));
  }

  function send(tool: Socket, line: string): void {
    tool.write(line);
    if (tool.writableLength > longestBacklog) tool.destroy(new RangeError("the tool does not read"));
  }

  async function serve(tool: Socket, bus: Bus): Promise<void> {
    tools.add(tool);
    try {
      for (const value of known.keys()) send(tool, lineFor(value, false));
      for await (const line of linesOf(tool)) await hear(line, bus);
    } catch (thrown) {
      if (!host.signal.aborted) host.logger.warn("a tool was disconnected", { reason: reasonOf(thrown) });
    } finally {
      tools.delete(tool);
      tool.destroy();
    }
  }

  /** A line that says nothing is counted; the next one may be better. */
  async function hear(line: Uint8Array, bus: Bus): Promise<void> {
    if (host.signal.aborted) return;
    try {
      const value = seenIn(line);
      const indicator = value === undefined ? undefined : known.get(value);
      if (value === undefined || indicator === undefined) return refused.add();
      await bus.publish(message(sightingOf(indicator, value, host.clock.now())));
      reported.add();
    } catch (thrown) {
      refused.add();
      host.logger.debug("a line was refused", { reason: reasonOf(thrown) });
    }
  }

  return {
    async start(bus) {
      server.on("connection", (tool) => void serve(tool, bus));
      server.listen(options.port, options.host);
      try {
        await (listening = once(server, "listening"));
      } catch (cause) {
        const taken = cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE";
        throw new ThreatbusError(taken ? "PORT_IN_USE" : "ADDRESS_INVALID", `${options.host} port ${options.port}: ${reasonOf(cause)}`, {
          hint: "set plugins.apps.template.port to a free port",
          cause,
        });
      }
      host.signal.addEventListener("abort", () => server.close(), { once: true });
      await bus.subscribe("stix2/indicator", ({ body }) => watchesOf(body).forEach(tell));
    },
    async stop() {
      await listening.catch(() => undefined);
      server.close();
      for (const tool of tools) tool.destroy();
    },
  };
}
