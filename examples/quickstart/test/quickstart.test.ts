import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { freePorts } from "@threatbus/testkit";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, expect, test } from "vitest";

const main = fileURLToPath(new URL("../dist/main.js", import.meta.url));
const variable = "THREATBUS_PLUGINS__APPS__ZMQ__";
const started: ChildProcess[] = [];

/** What is killed leaves its logs behind. */
const temporary = mkdtempSync(join(tmpdir(), "threatbus-test-"));

afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(temporary, { recursive: true, force: true, maxRetries: 10 }));

interface Run {
  readonly child: ChildProcess;
  readonly output: { out: string; err: string };
  readonly exit: Promise<unknown[]>;
}

/** Runs the built program on the given ports. */
function run(ports: readonly number[], ...args: string[]): Run {
  const names = ["MANAGE", "PUB", "SUB"];
  const env = { ...process.env, TMPDIR: temporary, ...Object.fromEntries(ports.map((port, at) => [`${variable}${names[at]}`, String(port)])) };
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  started.push(child);
  const output = { out: "", err: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (output.out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (output.err += text));
  return { child, output, exit: once(child, "close") };
}

async function listen(): Promise<Server> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

/** Process ids of the app and the feed, once both were told. */
async function children({ output }: Run): Promise<number[]> {
  const pids = (): number[] => [...output.out.matchAll(/^(?:app|feed) +process (\d+)\b/gm)].map(([, pid]) => Number(pid));
  await expect.poll(pids).toHaveLength(2);
  return pids();
}

function folderOf({ output }: Run): string {
  return /^ +in (.+): \d+ events of a day/m.exec(output.out)?.[1] ?? "";
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("with --once the feed goes through, sightings come back and the accounts balance", async () => {
  const ports = await freePorts(3);
  const { output, exit } = run(ports, "--once");
  const [code] = await exit;
  expect(output.err).toBe("");
  expect(output.out).toContain("✓ every message is accounted for");
  expect(output.out).not.toContain("✗");
  expect(output.out).toContain(`npx threatbus tail --manage ${ports[0]}`);
  // What data/README.md says is to be found: in the past, and when it happens again.
  const [, sightings = ""] = /in (\d+) sightings/.exec(readFileSync(new URL("../data/README.md", import.meta.url), "utf8")) ?? [];
  for (const match of ["RETRO", "LIVE"]) {
    expect(new RegExp(`sightings back on the bus: ${match} +(\\d+) +(\\d+)`).exec(output.out)?.slice(1)).toStrictEqual([sightings, sightings]);
    expect(output.out.match(new RegExp(`^sighting {2}${match} `, "gm"))).toHaveLength(9);
  }
  expect(code).toBe(0);
});

test("a port that is taken is named, with what to do about it", async () => {
  const [, pub = 0, sub = 0] = await freePorts(3);
  const other = await listen();
  const taken = portOf(other);
  const { output, exit } = run([taken, pub, sub], "--once");
  const [code] = await exit;
  other.close();
  expect(output.err).toContain(`port ${taken} on 127.0.0.1 is taken`);
  expect(output.err).toContain("plugins.apps.zmq.manage");
  expect(output.err).toContain(`${variable}MANAGE=`);
  expect(output.err).toContain("npm start -- -c my.yaml");
  expect(output.err).not.toMatch(/^ +at /m);
  expect(code).toBe(1);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s ends everything well", async (signal) => {
  const running = run(await freePorts(3));
  const pids = await children(running);
  await expect.poll(() => running.output.out).toContain("sighting ");
  running.child.kill(signal);
  expect(await running.exit).toStrictEqual([0, null]);
  expect(running.output.err).toBe("");
  expect(running.output.out).toMatch(/^stopped$/m);
  expect(pids.filter(lives)).toStrictEqual([]);
  expect(existsSync(folderOf(running))).toBe(false);
});

test("what is appended to a log later is found as well", async () => {
  const running = run(await freePorts(3));
  await expect.poll(() => running.output.out).toContain("Ctrl-C ends it");
  appendFileSync(join(folderOf(running), "zeek", "dns.log"), `${JSON.stringify({ ts: 1_790_000_000, query: "gate.evil.example" })}\n`);
  await expect.poll(() => running.output.out).toMatch(/^sighting {2}LIVE {2}gate\.evil\.example \(domain\) in query of zeek\.dns, 2026-09-21T14:13:20Z$/m);
  running.child.kill("SIGTERM");
  expect(await running.exit).toStrictEqual([0, null]);
});

test("when it is killed, app and feed end too", async () => {
  const running = run(await freePorts(3));
  const pids = await children(running);
  running.child.kill("SIGKILL");
  await expect.poll(() => pids.filter(lives)).toStrictEqual([]);
});

test("when the app is killed, it says so and ends", async () => {
  const running = run(await freePorts(3));
  const [app = 0, feed = 0] = await children(running);
  process.kill(app, "SIGKILL");
  expect(await running.exit).toStrictEqual([1, null]);
  expect(running.output.err).toContain("the app ended early (SIGKILL)");
  expect(lives(feed)).toBe(false);
});
