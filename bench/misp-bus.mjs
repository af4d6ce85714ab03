// A bus that listens to a MISP: node misp-bus.mjs PORT [STATE]. Told over the IPC channel: {"expect": N} answers when as many indicators were published
// since, with the seconds from the first to the last; {"parse": N} parses as many messages, {"map": N} brings them to the bus without a
// socket; {"weigh": true} tells what is held.
import { createBus, message, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { decode, indicatorsOf, misp } from "@threatbus/misp";
import { indicators } from "./indicators.mjs";

const [port, path] = [Number(process.argv[2]), process.argv[3]];
const templates = new URL("load/misp.txt", import.meta.url).pathname;
let due = 0, seen = 0, first = 0;

const zmq = { host: "127.0.0.1", port };
const bus = createBus({ backbones: [inmem()], apps: [misp({ zmq, ...(path && { state: { path } }) })], logger: silentLogger });
const before = performance.now();
await bus.start();
const started = (performance.now() - before) / 1_000;
await bus.subscribe("stix2/indicator", () => {
  if (seen++ === 0) first = performance.now();
  if (seen === due) process.send({ seconds: (performance.now() - first) / 1_000, cores: used(process.cpuUsage(atFirst)) / (performance.now() - first) });
  else if (seen === 1) atFirst = process.cpuUsage();
});
let atFirst = process.cpuUsage();
const used = ({ user, system }) => (user + system) / 1_000;

process.on("message", async ({ expect, parse, map, weigh }) => {
  [due, seen] = [expect ?? Infinity, 0];
  if (parse !== undefined) process.send({ seconds: await timed(parse, (bytes) => JSON.parse(bytes.toString())) });
  if (map !== undefined) process.send({ seconds: await timed(map, mapped) });
  if (weigh !== undefined) process.send(held());
});
process.once("SIGTERM", async () => {
  await bus.stop();
  process.disconnect?.();
});
console.log("ready");

const mapping = { profile: "point", compound: "and", rule_topics: false, local_tags: false };

async function mapped(bytes) {
  const { attribute, event } = decode(bytes).message;
  for (const indicator of indicatorsOf(attribute, event, mapping).indicators) await bus.publish(message(indicator));
}

/** Seconds for so many messages, one after the other. What is not asynchronous is not waited for. */
async function timed(count, job) {
  const batch = indicators(0, 10_000, templates);
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    const done = job(batch[n % batch.length]);
    if (done instanceof Promise) await done;
  }
  return (performance.now() - start) / 1_000;
}

function held() {
  for (let n = 0; n < 5; n++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const gauge = (name) => bus.stats().plugins.misp.find((sample) => sample.name === name)?.value ?? 0;
  return { memory: heapUsed + external, started, attributes: gauge("misp_attributes_remembered"), own: gauge("misp_memory_bytes"), disk: gauge("misp_disk_bytes") };
}
