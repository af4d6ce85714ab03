import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { ThreatbusError, defineApp, type App, type AppPlugin, type ConfiguredApp, type Host } from "@threatbus/core";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { freePort } from "../src/index.ts";

export interface Options {
  readonly port: number;
}

const schema: StandardSchemaV1<Options> = {
  "~standard": {
    version: 1,
    vendor: "threatbus-testkit",
    validate(given) {
      const { port, ...rest } = given as Record<string, unknown>;
      const issues = Object.keys(rest).map((key) => ({ message: "unknown", path: [key] }));
      if (typeof port === "number" && port >= 0 && port < 65_536) return issues.length > 0 ? { issues } : { value: { port } };
      return { issues: [...issues, { message: "not a port", path: ["port"] }] };
    },
  },
};

/** An app that writes indicators to whoever connects, and remembers endlessly many. `change` may break it. */
export function listenerPlugin(change: (app: App, options: Options, host: Host) => App = (app) => app): AppPlugin<Options> {
  return defineApp({ name: "listener", options: schema, create: (options, host) => change(listenerApp(options, host), options, host) });
}

export async function configured(change?: (app: App, options: Options, host: Host) => App): Promise<ConfiguredApp> {
  return listenerPlugin(change)({ port: await freePort() });
}

function listenerApp({ port }: Options, host: Host): App {
  const sockets = new Set<Socket>();
  let server: Server | undefined;
  let stopping = false;
  let starting: Promise<void> | undefined;

  async function listen(): Promise<void> {
    server = createServer((socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
    });
    server.listen(port, "127.0.0.1");
    await once(server, "listening").catch((cause: unknown) => {
      server = undefined;
      throw new ThreatbusError("PORT_IN_USE", `port ${port} is taken`, { cause });
    });
  }

  return {
    async start(bus) {
      if (host.signal.aborted) return;
      await (starting = listen());
      if (stopping) return;
      await bus.subscribe("stix2/indicator", ({ payload }) => sockets.forEach((socket) => socket.write(payload)));
    },
    async *snapshot(_request, signal) {
      while (!signal.aborted) {
        const now = "2024-05-01T12:00:00Z";
        const id = `indicator--${randomUUID()}` as const;
        const pattern = "[domain-name:value = 'example.com']";
        yield { type: "indicator", spec_version: "2.1", id, created: now, modified: now, valid_from: now, pattern, pattern_type: "stix" };
        await new Promise(setImmediate);
      }
    },
    async stop() {
      stopping = true;
      await starting?.catch(() => undefined);
      for (const socket of sockets) socket.destroy();
      const closing = server;
      server = undefined;
      if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
    },
  };
}
