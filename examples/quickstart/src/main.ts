/**
 * The main job, whole: `node dist/main.js [--once]`. A recorded MISP feed goes through a bus to an app in another process, and the app's
 * sightings come back. With `--once` it ends when the feed is through, with exit code 0 if every message is accounted for.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { BusSighting } from "@threatbus/zmq-client";
import { balance, printAccounts } from "./accounts.ts";
import { composeBus, explain, freePort } from "./bus.ts";
import { Ledger } from "./ledger.ts";
import { Program } from "./program.ts";
import type { Report as FeedReport } from "./replay.ts";
import type { AppReport } from "./reports.ts";
import { loggerOn, printable, Screen } from "./screen.ts";

/** Milliseconds that `--once` may take. It needs about five seconds. */
const longest = 60_000;
/** Milliseconds that the last messages may take when the feed has sent its last. */
const patience = 10_000;
/** Sightings that are spelled out at most. */
const kinds = 20;

const { once } = parseArgs({ options: { once: { type: "boolean", default: false } } }).values;
const screen = new Screen(process.stdout);
const ledger = new Ledger();
/** Kinds of observable that a sighting was spelled out for. */
const told = new Set<string>();
/** What runs, last begun first. */
const running: { stop(): Promise<void> }[] = [];
/** Aborted with an error if something failed. */
const ending = new AbortController();
const fail = (error: Error): void => ending.abort(error);
// The second signal finds no handler and ends this process at once; feed and app notice and follow.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort("interrupted"));
// As when the output is piped to `head`.
process.stdout.on("error", () => ending.abort("interrupted"));
if (once) {
  setTimeout(() => fail(new Error(`not through after ${longest / 1_000} s: see above how far it came`)), longest).unref();
  // Stopping is bounded too; this is for what nobody thought of.
  setTimeout(() => process.exit(1), 2 * longest).unref();
}

let balanced = false;
let failure: unknown;
try {
  await run();
} catch (thrown) {
  failure = ending.signal.aborted ? ending.signal.reason : thrown;
}
screen.clear();
for (const part of running) await part.stop().catch((thrown: unknown) => void (failure ??= thrown));
if (failure instanceof Error) console.error(`threatbus: ${explain(failure)}`);
else screen.say("stopped");
process.exitCode = failure instanceof Error || (once && !balanced) ? 1 : 0;

async function run(): Promise<void> {
  const feedPort = await freePort();
  const { bus, address } = await composeBus(feedPort, loggerOn(screen));
  const { host, manage, pub, sub } = address;
  await bus.start();
  running.unshift(bus);
  // The bus's side of the account, and what a person sees of it.
  await bus.subscribe(["stix2/indicator", "stix2/sighting"], (message) => ledger.hearBus(message));
  await bus.subscribe("stix2/sighting", ({ body }) => tell(body as BusSighting));
  screen.say(`bus       is up: in memory, apps join at ${host} (manage ${manage}, pub ${pub}, sub ${sub})`);
  const elsewhere = `${host === "127.0.0.1" ? "" : ` --host ${host}`}${manage === 13_370 ? "" : ` --manage ${manage}`}`;
  screen.say(`          to watch it from another terminal: npx threatbus tail${elsewhere}`);

  const app = new Program("app", ["--host", host, "--manage", String(manage)], (report) => ledger.hearApp(report as AppReport), fail);
  running.unshift(app);
  await until(() => ledger.events !== undefined);
  screen.say(`app       process ${app.pid} has joined and looks in ${ledger.events} events of Zeek and Suricata`);

  // Last, so that nobody misses anything.
  const args = ["--port", String(feedPort), ...(once ? ["--once"] : [])];
  const early = (error: Error): void => void ((once && ledger.through) || fail(error));
  const feed = new Program("feed", args, (report) => ledger.hearFeed(report as FeedReport), early);
  running.unshift(feed);
  screen.say(`feed      process ${feed.pid} is a MISP at tcp://127.0.0.1:${feedPort} that replays a recording`);
  await until(() => ledger.through);

  const rows = () => ledger.rows(bus.stats().plugins["misp"] ?? []);
  const late = Date.now() + patience;
  await until(() => balance(rows()) || Date.now() > late);
  balanced = balance(rows());
  screen.clear();
  screen.say(`account   ${ledger.summary}; ${ledger.known} known in the end`);
  for (const line of printAccounts(rows())) screen.say(line);
  screen.say(balanced ? "          ✓ every message is accounted for" : "          ✗ the accounts do not balance: see above");
  ledger.close();
  if (once) return;
  screen.say("          the bus stays up and the feed goes on with heartbeats; Ctrl-C ends it");
  await until(() => false);
}

/** Resolves when it holds; rejects when it is time to end. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) {
    if (ledger.summary !== "") screen.count(`          ${ledger.summary}`);
    await sleep(50, undefined, { signal: ending.signal });
  }
}

/** Spells out the first sighting of each kind of observable; the others are only counted. */
function tell({ id, labels, description, first_seen }: BusSighting): void {
  const kind = labels?.[0];
  if (kind === undefined || told.has(kind) || told.size >= kinds) return;
  told.add(kind);
  screen.say(printable(`sighting  ${description ?? id}, ${first_seen ?? "at an unknown time"}`));
}
