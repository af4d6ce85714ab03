// The bridge's engine `logs`: 100,000 indicators against events in files, live and in the past, beside JSON.parse of every line.
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { build } from "tsup";
import { atLeast, atMost, count, median, perSecond, short } from "./figures.mjs";

export const title = "Bridge, engine logs: 100,000 indicators against 1,000,000 events of Suricata, beside JSON.parse of every line";

const here = dirname(fileURLToPath(import.meta.url));
const indicators = 100_000;
const events = Number(process.env.THREATBUS_BENCH_EVENTS ?? 1_000_000);

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  const { createLogsEngine, logsOptions, LineMatcher, Marks, blockSize } = await load();
  const folder = mkdtempSync(join(tmpdir(), "threatbus-bench-"));
  try {
    const file = join(folder, "eve.json");
    await writeEvents(file);
    const options = logsOptions.parse({ files: [file] });
    const watched = [...observables()];
    const memory = await memoryOf(() => {
      const matcher = new LineMatcher(options, new Marks(blockSize(options.max_line)));
      for (const one of observables()) matcher.add(one);
      return matcher;
    });
    console.log(`  ${count(memory)} bytes an indicator`);

    const matcher = new LineMatcher(options, new Marks(blockSize(options.max_line)));
    for (const one of watched) matcher.add(one);
    const counter = { value: 0, add() {} };
    const host = { logger: { debug() {}, info() {}, warn: console.log, error: console.log }, clock: { now: () => Date.now() }, metrics: { counter: () => counter, gauge() {} }, stateDir: folder };
    const engine = createLogsEngine(options, host);
    const jobs = {
      parse: () => eachBlock(file, parseAll),
      live: () => eachBlock(file, (block) => matcher.match(block, file, { foreign: 0, long: 0 }).length),
      async retro() {
        let found = 0;
        await engine.retro.search(watched, { limit: Infinity, deadline: Infinity, signal: new AbortController().signal }, async () => void found++);
        return found;
      },
    };
    const seconds = { parse: [], live: [], retro: [] };
    for (let round = 0; round < rounds + 1; round++) {
      for (const [name, job] of Object.entries(jobs)) {
        const start = performance.now();
        const result = await job();
        if (result === 0) throw new Error(`${name} found nothing`);
        if (round > 0) seconds[name].push((performance.now() - start) / 1_000);
      }
      if (round > 0) console.log(`  parse ${short(seconds.parse.at(-1))} s, live ${short(seconds.live.at(-1))} s, retro ${short(seconds.retro.at(-1))} s`);
    }
    await engine.stop();
    const ratio = (name) => median(seconds.parse.map((parse, round) => parse / seconds[name][round]));
    const rate = (name) => perSecond(events / median(seconds[name]));
    const beside = `${rate("parse")}, JSON.parse of every line`;
    return [
      { figure: "events matched live", ours: rate("live"), beside, ...atLeast(0.5, ratio("live")), detail: { seconds } },
      { figure: "events searched in a file, the indicators' set-up included", ours: rate("retro"), beside, ...atLeast(3, ratio("retro")), detail: { seconds } },
      { figure: "memory of an indicator, bytes", ours: count(memory), ...atMost(200, memory) },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function load() {
  const outDir = join(here, ".cache", "bridge-logs");
  mkdirSync(outDir, { recursive: true });
  const source = join(here, "..", "apps", "vast-bridge", "src", "engines", "logs");
  const names = ["index", "options", "line-matcher", "marks", "reading"];
  const entry = Object.fromEntries(names.map((name) => [name, join(source, `${name}.ts`)]));
  // What it is made with is resolved from the package, not from here.
  await build({ config: false, silent: true, entry, outDir, format: "esm", target: "node20", platform: "node", clean: true, noExternal: [/./], outExtension: () => ({ js: ".mjs" }) });
  return Object.assign({}, ...(await Promise.all(names.map((name) => import(pathToFileURL(join(outDir, `${name}.mjs`)).href)))));
}

async function eachBlock(path, work) {
  const file = await open(path);
  let sum = 0, rest = Buffer.alloc(0);
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(262_144);
      const { bytesRead } = await file.read(piece, 0, piece.length);
      if (bytesRead === 0) return sum;
      const end = piece.lastIndexOf(10, bytesRead - 1) + 1;
      sum += work(Buffer.concat([rest, piece.subarray(0, end)]));
      rest = Buffer.from(piece.subarray(end, bytesRead));
    }
  } finally {
    await file.close();
  }
}

function parseAll(block) {
  let lines = 0;
  for (let from = 0, to; (to = block.indexOf(10, from)) >= 0; from = to + 1) lines += JSON.parse(block.toString("utf8", from, to)).flow_id > 0 ? 1 : 0;
  return lines;
}

async function memoryOf(make) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc");
  const used = () => {
    collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const made = make();
  const bytes = used() - before;
  if (made === undefined) throw new Error("nothing made");
  return bytes / indicators;
}

/** Chance that is the same every time (mulberry32). */
function chance(seed) {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

const hexadecimal = (below, digits) => Array.from({ length: digits }, () => below(16).toString(16)).join("");
const address = (below) => `${1 + below(220)}.${below(256)}.${below(256)}.${below(256)}`;

function* observables() {
  const below = chance(1);
  for (let n = 0; n < indicators; n++) {
    const turn = n % 20;
    if (turn < 7) yield { kind: "ip", value: address(below) };
    else if (turn < 12) yield { kind: "domain", value: `bad-${n}.evil${below(1_000)}.example` };
    else if (turn < 15) yield { kind: "url", value: `http://bad-${n}.evil.example/${hexadecimal(below, 8)}` };
    else if (turn < 18) yield { kind: "sha256", value: hexadecimal(below, 64) };
    else if (turn < 19) yield { kind: "md5", value: hexadecimal(below, 32) };
    else yield n % 100 === 19 ? { kind: "cidr", value: `${1 + below(220)}.${below(256)}.${below(256)}.0/24` } : { kind: "email", value: `a${n}@evil.example` };
  }
}

/** What a sensor writes most: flows, dns, http, tls and files. One in 50,000 is a hit by a name; chance makes some more. */
async function writeEvents(path) {
  const below = chance(2);
  const out = createWriteStream(path);
  const head = (n, type) => `{"timestamp":"2026-03-04T05:06:${String(n % 60).padStart(2, "0")}.${String(below(1e6)).padStart(6, "0")}+0000","flow_id":${1e15 + n},"in_iface":"eth0","event_type":"${type}","src_ip":"10.${below(256)}.${below(256)}.${below(256)}","src_port":${1024 + below(60_000)},"dest_ip":"${address(below)}","dest_port":443,"proto":"TCP","pkt_src":"wire/pcap",`;
  const name = (n) => (n % 50_000 === 1 ? "bad-7.evil0.example" : `host-${below(1e6)}.${["example.com", "cdn.example.net", "svc.example.org"][below(3)]}`);
  const kinds = [
    (n) => `${head(n, "flow")}"app_proto":"tls","flow":{"pkts_toserver":${below(100)},"pkts_toclient":${below(100)},"bytes_toserver":${below(1e5)},"bytes_toclient":${below(1e5)},"start":"2026-03-04T05:05:00.631000+0000","end":"2026-03-04T05:06:10.631000+0000","age":10,"state":"closed","reason":"timeout","alerted":false},"tcp":{"tcp_flags":"1f","syn":true,"fin":true,"ack":true,"state":"closed"}}`,
    (n) => `${head(n, "dns")}"dns":{"version":3,"type":"response","tx_id":1,"id":${below(65_536)},"flags":"8180","qr":true,"rd":true,"ra":true,"opcode":0,"rcode":"NOERROR","queries":[{"rrname":"${name(n)}","rrtype":"A"}],"answers":[{"rrname":"${name(n)}","rrtype":"A","ttl":300,"rdata":"${address(below)}"}]}}`,
    (n) => `${head(n, "http")}"http":{"hostname":"${name(n)}","url":"\\/a\\/${hexadecimal(below, 8)}?id=${below(1e6)}","http_user_agent":"Mozilla\\/5.0 (X11; Linux x86_64; rv:128.0) Gecko\\/20100101 Firefox\\/128.0","http_content_type":"text\\/html","http_method":"GET","protocol":"HTTP\\/1.1","status":200,"length":${below(1e5)}}}`,
    (n) => `${head(n, "tls")}"tls":{"subject":"CN=good.example","issuerdn":"C=US, O=Example, CN=Example CA","fingerprint":"${Array.from({ length: 20 }, () => hexadecimal(below, 2)).join(":")}","sni":"${name(n)}","version":"TLS 1.3","ja3":{"hash":"${hexadecimal(below, 32)}","string":"771,4865-4866-4867-49195,0-23-65281-10-11,29-23-24,0"},"ja4":"t13d1516h2_8daaf6152771_b186095e22b6"}}`,
    (n) => `${head(n, "fileinfo")}"app_proto":"http","fileinfo":{"filename":"\\/${hexadecimal(below, 8)}","state":"CLOSED","md5":"${hexadecimal(below, 32)}","sha256":"${hexadecimal(below, 64)}","stored":false,"size":1}}`,
  ];
  const mix = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4];
  for (let n = 0; n < events; ) {
    let text = "";
    for (let end = Math.min(events, n + 2_000); n < end; n++) text += `${kinds[mix[below(mix.length)]](n)}\n`;
    if (!out.write(text)) await once(out, "drain");
  }
  out.end();
  await once(out, "close");
}
