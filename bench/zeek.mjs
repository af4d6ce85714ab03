// Zeek: an intel event encoded and decoded; 50,000 indicators through a bus to a fake Zeek, beside a loop that writes the same bytes.
import { mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "tsup";
import { atLeast, median, perSecond, short } from "./figures.mjs";
import { freePorts, launch } from "./processes.mjs";

export const title = "Zeek: events encoded and decoded, and 50,000 indicators to a fake Zeek beside a bare loop";

const here = dirname(fileURLToPath(import.meta.url));
const indicators = 50_000;
const events = 200_000;

/** @returns {Promise<import("./figures.mjs").Row[]>} */
export async function run({ rounds }) {
  return [...(await codec(rounds)), await transfer(3 * rounds)];
}

/** The codec is no part of the package's interface: it is built by itself. */
async function loadCodec() {
  const outDir = join(here, ".cache", "zeek");
  mkdirSync(outDir, { recursive: true });
  const source = join(here, "..", "packages", "app-plugins", "zeek", "src");
  const entry = { protocol: join(source, "protocol.ts"), message: join(source, "native", "message.ts"), writer: join(source, "wire", "writer.ts"), binary: join(source, "wire", "binary.ts"), event: join(source, "wire", "event.ts"), value: join(source, "wire", "value.ts"), json: join(source, "wire", "json.ts"), print: join(source, "wire", "json-print.ts") };
  await build({ config: false, silent: true, entry, outDir, format: "esm", target: "node20", platform: "node", clean: true, outExtension: () => ({ js: ".mjs" }) });
  const load = (name) => import(pathToFileURL(join(outDir, `${name}.mjs`)).href);
  return Object.assign({}, ...(await Promise.all(Object.keys(entry).map(load))));
}

async function codec(rounds) {
  const { Protocol, writeMessage, eventHead, valuePayload, messageHead, Writer, valueOf, vector, decodeMessage, decodeValue, eventOf, encodeJson, decodeJson } = await loadCodec();
  const protocol = new Protocol("Tenzir");
  const operation = (n) => ({ operation: "ADD", id: `indicator--00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`, type: "DOMAIN", value: `host-${n}.example.com`, created: 1_714_557_600_123_000_000n });
  const topic = "stix2/indicatorabcdefghijabcdefghijabcdefgh";
  const head = Buffer.concat([messageHead({ sender: "ff".repeat(16), receiver: "00".repeat(16), type: 1, topic }), eventHead("Tenzir::intel")]);
  const writer = new Writer(65_536);
  const one = (n) => {
    writeMessage(head, valuePayload(vector(protocol.intel(operation(n)).args)), writer);
    return writer.length > 60_000 ? writer.take().length : 1;
  };
  const frames = Array.from({ length: 1_000 }, (_, n) => {
    const single = new Writer();
    writeMessage(head, valuePayload(vector(protocol.intel(operation(n)).args)), single);
    return single.take().subarray(4);
  });
  const texts = Array.from({ length: 1_000 }, (_, n) => encodeJson(topic, valueOf(protocol.intel(operation(n)))));
  const jobs = {
    "an intel event encoded, natively": one,
    "the same decoded": (n) => eventOf(decodeValue(decodeMessage(frames[n % 1_000]).payload)).args.length,
    "an intel event encoded as JSON": (n) => encodeJson(topic, valueOf(protocol.intel(operation(n)))).length,
    "the same decoded from JSON": (n) => eventOf(decodeJson(texts[n % 1_000]).value).args.length,
  };
  const rows = [];
  for (const [figure, job] of Object.entries(jobs)) {
    const runs = [];
    for (let round = 0; round < rounds + 2; round++) {
      const start = performance.now();
      let sum = 0;
      for (let n = 0; n < events; n++) sum += job(n);
      const seconds = (performance.now() - start) / 1_000;
      if (sum < events) throw new Error("nothing done");
      if (round >= 2) runs.push(events / seconds);
    }
    console.log(`  ${figure}: ${short(1e6 / median(runs))} µs`);
    rows.push({ figure, ours: perSecond(median(runs)), detail: { runs } });
  }
  return rows;
}

/** Pairs of a second each; what disturbs the machine disturbs some of them. */
async function transfer(rounds) {
  const ratios = [], ours = [], bare = [];
  for (let round = 0; round < rounds + 1; round++) {
    const kinds = round % 2 === 0 ? ["bus", "loop"] : ["loop", "bus"];
    const seconds = {};
    for (const kind of kinds) seconds[kind] = await once(kind);
    if (round === 0) continue;
    ours.push(indicators / seconds.bus);
    bare.push(indicators / seconds.loop);
    ratios.push(seconds.loop / seconds.bus);
    console.log(`  bus ${perSecond(indicators / seconds.bus)}, loop ${perSecond(indicators / seconds.loop)}, ratio ${short(seconds.loop / seconds.bus)}`);
  }
  return { figure: "50,000 indicators to a fake Zeek", ours: perSecond(median(ours)), beside: `${perSecond(median(bare))}, a loop that writes the same bytes`, ...atLeast(0.5, median(ratios)), detail: { ratios } };
}

/** Seconds from the word to go until the Zeek has all, the second time: as in a bus that has been running for a while. */
async function once(kind) {
  const [port] = await freePorts(1);
  const sender = launch(process.execPath, [join(here, "zeek-bus.mjs"), kind, String(port), String(indicators)], { ipc: true });
  await sender.line((line) => line === "ready");
  const peer = launch(process.execPath, [join(here, "zeek-peer.mjs"), String(port), String(indicators)]);
  await peer.line((line) => line.startsWith("ready"));
  let seconds = 0;
  for (const batch of [1, 2]) {
    const start = performance.now();
    sender.child.send("go");
    await peer.line((line) => line === `done ${batch}`);
    seconds = (performance.now() - start) / 1_000;
  }
  await peer.ended;
  await sender.stop();
  return seconds;
}
