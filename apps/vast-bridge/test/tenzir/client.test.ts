import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MetricSet, silentLogger, systemClock } from "@threatbus/core";
import { endStrays } from "../../src/child.ts";
import { EngineError } from "../../src/engine.ts";
import { Client } from "../../src/engines/tenzir/client.ts";
import { tenzirOptions } from "../../src/engines/tenzir/options.ts";
import { pulseOf } from "../../src/engines/tenzir/pulse.ts";
import { checkClient, checkNode } from "../../src/engines/tenzir/version.ts";

let folder: string;
let scripts = 0;
/** An endpoint that greets as a node does. */
let greeter: Server;
const sockets = new Set<Socket>();
const never = new AbortController().signal;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tenzir-client-"));
  greeter = createServer((socket) => {
    sockets.add(socket.on("error", () => undefined).on("close", () => sockets.delete(socket)));
    socket.write("tenzir");
  }).listen(0, "127.0.0.1");
  await once(greeter, "listening");
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  greeter.close();
  await rm(folder, { recursive: true });
});

const portOf = (server: Server): string => `127.0.0.1:${(server.address() as { port: number }).port}`;

/** A client whose program is a shell script: no node, all kinds of answers. */
async function client(script: string, more: Record<string, unknown> = {}): Promise<{ client: Client; binary: string }> {
  const binary = join(folder, `tenzir-${scripts++}`);
  await writeFile(binary, `#!/bin/sh\n${script}\n`);
  await chmod(binary, 0o755);
  const options = tenzirOptions.parse({ endpoint: portOf(greeter), binary, ...more });
  const made = new Client(options, { logger: silentLogger, clock: systemClock, metrics: new MetricSet(), stateDir: folder });
  await made.prepare();
  return { client: made, binary };
}

describe("a program", () => {
  it("gets its text by a file that goes with it, and its input by lines", async () => {
    const { client: one } = await client('cat "$3"; echo; cat; echo "warning: nothing" >&2');
    expect(await one.ask("export | x", { input: ["a", "b"] })).toEqual(["export | x", "a", "b"]);
    expect(await readdir(join(folder, "programs"))).toEqual([]);
  });

  it.each([
    ["complains, whatever its exit code", 'echo "error: context \\`x\\` not found" >&2', "Tenzir reports: context `x` not found"],
    ["complains of something unprintable", 'printf "error: a\\033[31m\\n" >&2; exit 1', "Tenzir reports: a?[31m"],
    ["ends without a word", "exit 3", "Tenzir ended with exit code 3"],
    ["is killed", "kill -9 $$", "Tenzir ended with SIGKILL"],
  ])("that %s fails", async (_case, script, message) => {
    const { client: one } = await client(script);
    await expect(one.ask("x")).rejects.toThrow(message);
  });

  it("that does not answer is ended when its time is up", async () => {
    const { client: one } = await client("trap '' TERM; while :; do sleep 1; done", { call_timeout: 0.2 });
    await expect(one.ask("x")).rejects.toThrow("did not answer within");
    expect(await endStrays(folder)).toBe(0);
  });

  it("is ended when it is wanted no more, half read", async () => {
    const { client: one } = await client("while :; do echo line; done");
    const lines = one.lines("x");
    expect((await lines.next()).value).toBe("line");
    await lines.return(undefined);
    expect(await endStrays(folder)).toBe(0);
    const wanted = new AbortController();
    const more = one.lines("x", { signal: wanted.signal });
    await more.next();
    wanted.abort(new Error("enough"));
    const rest = async (): Promise<void> => {
      for await (const line of more) expect(line).toBe("line");
    };
    await expect(rest()).rejects.toThrow("enough");
    expect(await endStrays(folder)).toBe(0);
  });

  it("that is not there cannot be started, ever", async () => {
    const { client: one } = await client("", { binary: join(folder, "nowhere") });
    await expect(one.ask("x")).rejects.toMatchObject({ permanent: true, message: expect.stringContaining("cannot be started: ENOENT") as string, hint: expect.stringContaining("tenzir.binary") as string });
  });
});

describe("a version", () => {
  it.each([
    ["5.30.0", `echo '{"version":"5.30.0","major":5,"features":["tql2_only"]}'`, /is Tenzir 5\.30\.0; this engine needs Tenzir 6/],
    ["4.20, which speaks TQL1", 'echo "error: unknown operator" >&2; exit 1', /does not tell its version as Tenzir 6 does; this engine needs Tenzir 6/],
    ["of another program", "echo hello", /is Tenzir undefined/],
  ])("%s is refused for good", async (_case, script, message) => {
    const { client: one, binary } = await client(script);
    await expect(checkClient(one, binary, never)).rejects.toMatchObject({ permanent: true, message: expect.stringMatching(message) as string });
  });

  it("6 is taken, and decides the spelling", async () => {
    const old = await client(`echo '{"version":"6.9.0+N5ab","major":6,"features":["modules"]}'`);
    expect((await checkClient(old.client, old.binary, never))("update")).toBe("context::update");
    const young = await client(`echo '{"version":"6.20.0","major":6,"features":["modules","flat_builtin_names"]}'`);
    expect((await checkClient(young.client, young.binary, never))("update")).toBe("context_update");
  });

  it("of the node counts as well", async () => {
    const { client: one } = await client(`echo '{"version":"5.30.0"}'`);
    await expect(checkNode(one, "x:1", never)).rejects.toMatchObject({ permanent: true, message: expect.stringContaining("the node at x:1 is Tenzir 5.30.0") as string });
  });
});

describe("the pulse", () => {
  it("stops at once when nobody is there", async () => {
    const { signal } = pulseOf("127.0.0.1:1", 5_000);
    if (!signal.aborted) await once(signal, "abort");
    expect(signal.reason).toBeInstanceOf(EngineError);
    expect((signal.reason as Error).message).toBe("the Tenzir node at 127.0.0.1:1 cannot be reached: ECONNREFUSED");
  });

  it("is told by who takes a connection and says nothing", async () => {
    const dumb = createServer((socket) => void sockets.add(socket)).listen(0, "127.0.0.1");
    await once(dumb, "listening");
    const { signal } = pulseOf(portOf(dumb), 100);
    await once(signal, "abort");
    expect((signal.reason as Error).message).toContain("is silent for 0.1 s");
    dumb.close();
  });

  it("goes on while there are greetings, and stops when the connection ends", async () => {
    const own = new Set<Socket>();
    const server = createServer((socket) => {
      own.add(socket.on("error", () => undefined));
      socket.write("tenzir");
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    let signs = 0;
    const { signal, stop } = pulseOf(portOf(server), 4_000, () => signs++);
    await expect.poll(() => signs).toBeGreaterThan(2);
    expect(signal.aborted).toBe(false);
    server.close();
    for (const socket of own) socket.destroy();
    await once(signal, "abort");
    expect((signal.reason as Error).message).toMatch(/closed the connection|ECONNREFUSED|ECONNRESET/);
    stop();
  });
});
