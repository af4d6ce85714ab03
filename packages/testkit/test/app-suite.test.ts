import { createServer, type Server } from "node:net";
import { setImmediate as turn } from "node:timers/promises";
import type { App, Host } from "@threatbus/core";
import { afterAll, describe, expect, it } from "vitest";
import { appSuite, type AppSubject, type AppTest } from "../src/index.ts";
import { appTests } from "../src/app-tests.ts";
import { configured, listenerPlugin, type Options } from "./listener.ts";

const listener = listenerPlugin();

appSuite({
  name: "listener",
  create: () => configured(),
  invalid: [() => listener({ port: 80_000 }), () => listener({ port: 1, constructor: 1 } as never), () => listener("port" as never)],
});

/** What broken apps leave behind. */
const leaked: Server[] = [];
afterAll(() => leaked.forEach((server) => server.close()));
let shared: App[] = [];
const never = new Promise<never>(() => undefined);

type Change = (app: App, options: Options, host: Host) => App;
const breaks: readonly [AppTest, string, Change | Partial<AppSubject>][] = [
  ["starts and stops on a bus", "rejects in stop", (app) => ({ ...app, stop: async () => (await app.stop(), Promise.reject(new Error("no"))) })],
  ["stops twice, at once and again", "rejects the second stop", (app) => ({ ...app, stop: once(app, () => Promise.reject(new Error("no"))) })],
  ["stops twice, at once and again", "hangs in the second stop", (app) => ({ ...app, stop: once(app, () => never) })],
  ["stops without having started", "wants to be started", (app) => ({ ...app, stop: () => Promise.reject(new Error("not started")) })],
  ["stops while it starts", "forgets what it had begun to open", (app, { port }) => ({ ...app, start: () => turn().then(leak(port)), stop: async () => undefined })],
  ["stops when the stop signal had fired before it started", "waits for ever", (app, _options, host) => ({ ...app, stop: () => (host.signal.aborted ? never : app.stop()) })],
  ["frees what it holds", "leaves its port open", (app) => ({ ...app, stop: async () => undefined, start: leak(0) })],
  ["frees what it holds", "leaves a timer", (app) => ({ ...app, start: async () => void timers.push(setInterval(() => undefined, 60_000)) })],
  ["starts again with the same options", "leaves its port open", (app, { port }) => ({ ...app, stop: async () => undefined, start: leak(port) })],
  ["shares nothing between instances", "stops all of its kind", (app) => {
    shared.push(app);
    let subscription: { close(): Promise<void> } | undefined;
    const stop = app.stop.bind(app);
    app.start = async (bus) => void (subscription = await bus.subscribe("stix2/", () => undefined));
    app.stop = async () => (await subscription?.close(), stop());
    return { ...app, start: (bus) => app.start(bus), stop: async () => void (await Promise.all(shared.map((each) => each.stop()))) };
  }],
  ["names itself when it cannot start", "starts although its port is taken", (app) => ({ ...app, start: async () => undefined })],
  ["names itself when it cannot start", "hangs", { failing: () => configured((app) => ({ ...app, start: () => never })) }],
  ["refuses invalid options", "takes anything", { invalid: [() => listener({ port: 1 })] }],
  ["refuses invalid options", "throws something else", { invalid: [() => { throw new TypeError("port"); }] }],
  ["refuses invalid options", "names none", {}],
  ["ends a snapshot on its signal", "goes on", (app) => ({ ...app, snapshot: (request) => app.snapshot!(request, new AbortController().signal) })],
  ["ends a snapshot on its signal", "hangs", (app) => ({ ...app, async *snapshot() { yield await never; } })],
  ["ends a snapshot on its signal", "throws", (app) => ({ ...app, snapshot: () => { throw new Error("no history"); } })],
  ["accounts for every message of a bus", "never ends a handler", (app) => ({ ...app, start: async (bus) => void (await bus.subscribe("", () => never)) })],
  ["writes nothing to the console", "logs", (app) => ({ ...app, start: async () => void globalThis["console"].log("started") })],
  ["writes nothing to the console", "writes to stderr", (app) => ({ ...app, start: async () => void process.stderr.write("started\n") })],
];

const timers: NodeJS.Timeout[] = [];
afterAll(() => timers.forEach(clearInterval));

function once(app: App, then: () => Promise<void>): () => Promise<void> {
  let stopped = false;
  return () => {
    if (stopped) return then();
    stopped = true;
    return app.stop();
  };
}

function leak(port: number): () => Promise<void> {
  return async () => {
    const server = createServer();
    leaked.push(server);
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  };
}

describe("the app contract catches an app that", () => {
  it.each(breaks)("fails at: %s — %s", async (name, _how, broken) => {
    shared = [];
    const create = (): ReturnType<typeof configured> => configured(typeof broken === "function" ? broken : undefined);
    const subject: AppSubject = { name: "broken", create, patience: 300, ...(typeof broken === "function" ? {} : broken) };
    await expect(appTests[name](subject)).rejects.toThrow();
  });

  it("has a broken app for every test", () => {
    expect(new Set(breaks.map(([name]) => name))).toEqual(new Set(Object.keys(appTests)));
  });
});
