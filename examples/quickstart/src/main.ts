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
/** Sightings that are spelled out; the others are counted. */
const spelledOut = 6;

const { once } = parseArgs({ options: { once: { type: "boolean", default: false } } }).values;
const screen = new Screen(process.stdout);
const ledger = new Ledger();
/** What runs, last begun first. */
const running: { stop(): Promise<void> }[] = [];
/** Aborted with an error if something failed. */
const ending = new AbortController();
const fail = (error: Error): void => ending.abort(error);
// The second signal finds no handler and ends this process at once; feed and app notice and follow.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => ending.abort("interrupted"));
if (once) setTimeout(() => fail(new Error(`not through after ${longest / 1_000} s`)), longest).unref();

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
  screen.say("          to watch it from another terminal: npx threatbus tail");

  const app = new Program("app", ["--host", host, "--manage", String(manage)], (report) => ledger.hearApp(report as AppReport), fail);
  running.unshift(app);
  await until(() => ledger.events !== undefined);
  screen.say(`app       process ${app.pid} has joined and looks in ${ledger.events} events of Zeek and Suricata`);

  // Last, so that nobody misses anything.
  const feed = new Program("feed", ["--port", String(feedPort), ...(once ? ["--once"] : [])], (report) => ledger.hearFeed(report as FeedReport), fail);
  running.unshift(feed);
  screen.say(`feed      process ${feed.pid} is a MISP at tcp://127.0.0.1:${feedPort} that replays a recording`);
  await until(() => ledger.through);

  const rows = () => ledger.rows(bus.stats().plugins["misp"] ?? []);
  const late = Date.now() + patience;
  await until(() => balance(rows()) || Date.now() > late);
  balanced = balance(rows());
  screen.clear();
  screen.say(`account   ${ledger.summary}`);
  for (const line of printAccounts(rows())) screen.say(line);
  screen.say(balanced ? "          ✓ every message is accounted for" : "          ✗ the accounts do not balance: see above");
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

let told = 0;
function tell({ id, description = id, first_seen: time }: BusSighting): void {
  if (++told <= spelledOut) screen.say(`sighting  ${printable(description)}${time === undefined ? "" : `, ${time.slice(0, 19)}`}`);
  if (told === spelledOut) screen.say("          further sightings are counted");
}
