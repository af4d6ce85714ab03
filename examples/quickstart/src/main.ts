/**
 * The main job, whole: `node dist/main.js [--once]`. A recorded MISP feed goes through a bus to an app in another process, which looks for
 * the indicators in logs, and the app's sightings come back. With `--once` it ends by itself, with exit code 0 if every message is accounted for.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { balance, printAccounts } from "./accounts.ts";
import { type Address, composeBus, explain, freePorts } from "./bus.ts";
import { Figures } from "./figures.ts";
import { Ledger } from "./ledger.ts";
import { Program, type Said } from "./program.ts";
import type { Report as FeedReport } from "./replay.ts";
import { loggerOn, Screen } from "./screen.ts";
import { Sensor } from "./sensor.ts";
import { Sightings } from "./sightings.ts";

/** Milliseconds that `--once` may take. It needs about ten seconds. */
const longest = 60_000;
/** Milliseconds that the last messages may take when the last was sent. */
const patience = 20_000;

const { once } = parseArgs({ options: { once: { type: "boolean", default: false } } }).values;
const screen = new Screen(process.stdout);
const logger = loggerOn(screen);
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
  const folder = await mkdtemp(join(tmpdir(), "threatbus-quickstart-"));
  running.unshift({ stop: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }) });
  const [feedPort = 0, figuresPort = 0] = await freePorts(2);
  const { bus, address } = await composeBus(feedPort, logger);
  await bus.start();
  running.unshift(bus);
  // The bus's side of the account, and what a person sees of it.
  const ledger = new Ledger(() => bus.stats().plugins["misp"] ?? []);
  const sightings = new Sightings(screen);
  await bus.subscribe(["stix2/indicator", "stix2/sighting"], (message) => ledger.hearBus(message));
  await bus.subscribe("stix2/sighting", (message) => sightings.tell(message));
  screen.say(`bus       is up: in memory, apps join at ${address.host} (manage ${address.manage}, pub ${address.pub}, sub ${address.sub})`);
  screen.say(`          to watch it from another terminal: npx threatbus tail${flagsOf(address)}`);

  const sensor = await Sensor.begin(folder);
  const until = async (holds: () => boolean, late: number = Infinity): Promise<void> => {
    for (;;) {
      ledger.app = await Figures.from(`http://127.0.0.1:${figuresPort}/metrics`);
      if (holds() || Date.now() > late) return;
      if (ledger.summary !== "") screen.count(`          ${ledger.summary}`);
      await sleep(50, undefined, { signal: ending.signal });
    }
  };
  const app = new Program("app", appArgs(address, figuresPort), folder, hearApp, fail);
  running.unshift(app);
  await until(() => ledger.ready);
  screen.say(`app       process ${app.pid}, vast-threatbus, has joined and looks in the logs of Zeek and Suricata`);
  screen.say(`          in ${folder}: ${sensor.events} events of a day that is over`);

  // Last, so that nobody misses anything.
  const feedArgs = ["--port", String(feedPort), ...(once ? ["--once"] : [])];
  const early = (error: Error): void => void ((once && ledger.through) || fail(error));
  const feed = new Program("feed", feedArgs, folder, (said) => ledger.hearFeed(said as unknown as FeedReport), early);
  running.unshift(feed);
  screen.say(`feed      process ${feed.pid} is a MISP at tcp://127.0.0.1:${feedPort} that replays a recording`);
  await until(() => ledger.through);
  await until(() => ledger.settled, Date.now() + patience);

  screen.say("sensor    writes to the logs again: the same day, as it happens now");
  await sensor.goOn(ending.signal);
  await until(() => ledger.settled && balance(ledger.rows), Date.now() + patience);
  balanced = balance(ledger.rows);
  screen.clear();
  screen.say(`account   ${ledger.summary}; ${ledger.app.of("indicators")} watched for in the end`);
  for (const line of printAccounts(ledger.rows)) screen.say(line);
  screen.say(balanced ? "          ✓ every message is accounted for" : "          ✗ the accounts do not balance: see above");
  if (once) return;
  sightings.tellAll();
  screen.say("          all stay up, the feed with heartbeats; append a line to a log with something to be found, and it is. Ctrl-C ends it");
  await until(() => false);
}

/** As on a command line: `npx vast-threatbus --set engine=logs …` */
function appArgs({ host, manage }: Address, figuresPort: number): string[] {
  const options = {
    threatbus: `${host.includes(":") ? `[${host}]` : host}:${manage}`, engine: "logs", "logs.files": ["zeek/*.log", "suricata/eve.json"], live_match: true,
    snapshot: 0, shutdown_timeout: 5, "metrics.port": figuresPort, "logging.console_verbosity": "WARNING",
  };
  return ["--log-format", "json", ...Object.entries(options).flatMap(([name, value]) => ["--set", `${name}=${JSON.stringify(value)}`])];
}

/** What the app logs: warnings and worse. */
function hearApp({ severity, text = "", error }: Said): void {
  logger[severity === "WARNING" ? "warn" : "error"](error === undefined ? text : `${text}: ${error.message}`, { plugin: "app" });
}

/** For programs that look for the bus elsewhere. */
function flagsOf({ host, manage }: Address): string {
  return `${host === "127.0.0.1" ? "" : ` --host ${host}`}${manage === 13_370 ? "" : ` --manage ${manage}`}`;
}
