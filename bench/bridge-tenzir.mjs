// The bridge's engine `tenzir` on a real node: a search for 10,000 observables, and a live hit, beside what Tenzir's client alone takes.
import { spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath, pathToFileURL } from "node:url";
import { systemClock } from "@threatbus/core";
import { tenzir, unavailable } from "@threatbus/services";
import { build } from "tsup";
import { atMost, median, short } from "./figures.mjs";

export const title = "Bridge, engine tenzir: 10,000 observables against 500,000 events in a node, and a live hit, beside Tenzir's client alone";

const here = dirname(fileURLToPath(import.meta.url));
const events = Number(process.env.THREATBUS_BENCH_EVENTS ?? 500_000);
const wanted = 10_000;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  const missing = await unavailable("tenzir");
  if (missing !== undefined) {
    console.log(`  skipped, there is no Tenzir: ${missing}`);
    return [{ figure: "Tenzir", ours: "skipped: it cannot be had here" }];
  }
  const { createTenzirEngine, tenzirOptions } = await load();
  const stateDir = mkdtempSync(join(tmpdir(), "threatbus-bench-"));
  const node = await tenzir();
  const counter = { value: 0, add() {} };
  const logger = { debug() {}, info() {}, warn: console.log, error: console.log };
  const engine = createTenzirEngine(tenzirOptions.parse({ endpoint: node.endpoint, binary: node.binary }), { logger, clock: systemClock, metrics: { counter: () => counter, gauge() {} }, stateDir });
  try {
    await engine.start(new AbortController().signal);
    const file = join(stateDir, "eve.json");
    await writeEvents(file);
    await node.run(`from_file ${JSON.stringify(file)} { read_suricata } | import`);
    return [await retro(engine, node, rounds), await live(engine, node, 3 * rounds)];
  } finally {
    await engine.stop();
    await node.stop();
    rmSync(stateDir, { recursive: true, force: true });
  }
}

async function retro(engine, node, rounds) {
  const batch = [...observables()];
  const seconds = { ours: [], bare: [] };
  for (let round = 0; round < rounds; round++) {
    let lines = 0, hits = 0;
    seconds.bare.push(await timed(async () => void (lines = await linesOf(client(node, "export | write_ndjson")))));
    seconds.ours.push(await timed(() => engine.retro.search(batch, { limit: Infinity, deadline: Infinity, signal: new AbortController().signal }, async () => void hits++)));
    if (lines !== events || hits === 0) throw new Error(`${lines} events, ${hits} hits`);
    console.log(`  search ${short(seconds.ours.at(-1))} s for ${hits} hits, export ${short(seconds.bare.at(-1))} s`);
  }
  const [ours, bare] = [median(seconds.ours), median(seconds.bare)];
  return { figure: `search for ${wanted} observables in ${events} events`, ours: `${short(ours)} s`, beside: `${short(bare)} s, export | write_ndjson`, ...atMost(2, median(seconds.ours.map((each, n) => each / seconds.bare[n]))), detail: seconds };
}

/** From the same import to a hit of the engine, and to a line of a client that does nothing but filter. */
async function live(engine, node, rounds) {
  const address = "203.0.113.77";
  const session = await engine.live.open([{ kind: "ip", value: address, indicator: "indicator--00000000-0000-4000-8000-000000000000" }], new AbortController().signal);
  const hits = session.hits[Symbol.asyncIterator]();
  const bare = client(node, `export live=true | where dest_ip == ${address} | write_ndjson`);
  const lines = createInterface(bare.stdout)[Symbol.asyncIterator]();
  const send = (n) => node.run("from_stdin { read_suricata } | import", `${JSON.stringify({ timestamp: "2026-03-04T05:06:07Z", flow_id: n, event_type: "flow", dest_ip: address })}\n`);
  const later = [];
  // The first two show that both run.
  for (let round = -2; round < rounds; round++) {
    const arrival = (next) => next.then(() => performance.now());
    const both = Promise.all([arrival(hits.next()), arrival(lines.next())]);
    await systemClock.sleep(round < 0 ? 8_000 : 500);
    await send(round);
    const [ours, alone] = await both;
    if (round < 0) continue;
    later.push((ours - alone) / 1_000);
    console.log(`  hit ${short(later.at(-1) * 1_000)} ms after the client alone`);
  }
  bare.kill();
  await session.close();
  const worst = Math.max(...later);
  return { figure: "live hit, later than the client alone shows the event", ours: `${short(median(later) * 1_000)} ms, at worst ${short(worst * 1_000)} ms`, bar: "≤ 0.5 s", pass: worst <= 0.5, detail: later };
}

function client(node, pipeline) {
  return spawn(node.binary, [`--endpoint=${node.endpoint}`, pipeline], { stdio: ["ignore", "pipe", "ignore"] });
}

async function linesOf(child) {
  let lines = 0;
  for await (const chunk of child.stdout) for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines++;
  return lines;
}

async function timed(job) {
  const start = performance.now();
  await job();
  return (performance.now() - start) / 1_000;
}

/** Half flows, half DNS; every thousandth holds something that is looked for. */
async function writeEvents(file) {
  const output = createWriteStream(file);
  for (let n = 0; n < events; n++) {
    const shared = { timestamp: new Date(1_772_600_767_000 + n * 10).toISOString(), flow_id: n, in_iface: "eth0", src_ip: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`, src_port: 1024 + (n % 60_000), proto: "UDP" };
    const name = `host${n % 50_000}.${n % 1_000 === 0 ? "evil" : "good"}.example`;
    const more = n % 2 === 0
      ? { event_type: "dns", dest_ip: "192.0.2.53", dest_port: 53, dns: { version: 2, type: "answer", id: n & 65_535, rrname: name, rrtype: "A", rcode: "NOERROR", answers: [{ rrname: name, rrtype: "A", ttl: 60, rdata: `198.51.100.${n & 255}` }] } }
      : { event_type: "flow", dest_ip: `192.0.${(n >> 8) & 127}.${n & 255}`, dest_port: 443, app_proto: "tls", flow: { pkts_toserver: 5, pkts_toclient: 7, bytes_toserver: 600, bytes_toclient: 1_200, age: 3, state: "closed", reason: "timeout" } };
    if (!output.write(`${JSON.stringify({ ...shared, ...more })}\n`)) await once(output, "drain");
  }
  output.end();
  await once(output, "finish");
}

function* observables() {
  for (let n = 0; n < wanted / 2; n++) {
    yield { kind: "domain", value: `host${n * 1_000}.evil.example` };
    yield { kind: "ip", value: `203.0.${n >> 8}.${n & 255}` };
  }
}

/** The engine as source: no package exports it. */
async function load() {
  const outDir = join(here, ".cache", "bridge-tenzir");
  mkdirSync(outDir, { recursive: true });
  const source = join(here, "..", "apps", "vast-bridge", "src", "engines", "tenzir");
  const names = ["index", "options"];
  const entry = Object.fromEntries(names.map((name) => [name, join(source, `${name}.ts`)]));
  await build({ config: false, silent: true, entry, outDir, format: "esm", target: "node20", platform: "node", clean: true, noExternal: [/./], outExtension: () => ({ js: ".mjs" }) });
  return Object.assign({}, ...(await Promise.all(names.map((name) => import(pathToFileURL(join(outDir, `${name}.mjs`)).href)))));
}
