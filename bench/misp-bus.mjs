// A bus that listens to a MISP: node misp-bus.mjs PORT [STATE]. Told over the IPC channel: {"expect": N} answers when as many indicators were published
// since, with the seconds from the first to the last; {"parse": N} parses as many messages; {"weigh": true} tells what is held.
import { createBus, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { misp } from "@threatbus/misp";
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

process.on("message", ({ expect, parse, weigh }) => {
  if (expect !== undefined) [due, seen] = [expect, 0];
  if (parse !== undefined) process.send({ seconds: parsing(parse) });
  if (weigh !== undefined) process.send(held());
});
process.once("SIGTERM", async () => {
  await bus.stop();
  process.disconnect?.();
});
console.log("ready");

function parsing(count) {
  const batch = indicators(0, 10_000, templates);
  let sum = 0;
  const start = performance.now();
  for (let n = 0; n < count; n++) sum += JSON.parse(batch[n % batch.length].toString()).action.length;
  const seconds = (performance.now() - start) / 1_000;
  if (sum < count) throw new Error("nothing parsed");
  return seconds;
}

function held() {
  for (let n = 0; n < 5; n++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const gauge = (name) => bus.stats().plugins.misp.find((sample) => sample.name === name)?.value ?? 0;
  return { memory: heapUsed + external, started, attributes: gauge("misp_attributes_remembered"), own: gauge("misp_memory_bytes"), disk: gauge("misp_disk_bytes") };
}
