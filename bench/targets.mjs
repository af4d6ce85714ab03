// What the load is sent through: our bus, the bare forwarder, the Python reference. Each looks the same from outside.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { requireReference } from "@threatbus/services";
import { subscribe, unsubscribe } from "./manage.mjs";
import { freePorts, launch, pause } from "./processes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const cache = join(here, ".cache");
const tcp = (port) => `tcp://127.0.0.1:${port}`;

/**
 * @typedef {object} Target
 * @property {string} name
 * @property {number} [pid] of its process; `pids` where it has several
 * @property {string} input where messages are sent
 * @property {string} output where subscribers connect
 * @property {(count: number) => Promise<string[]>} subscribe prefixes for as many subscribers
 * @property {(count: number) => Promise<void>} attached resolves when as many connected subscribers will get what is sent from now on
 * @property {(prefixes: string[]) => Promise<void>} end
 * @property {() => Promise<void>} stop
 */

/** @returns {Promise<Target>} */
export async function startForwarder(subscribers) {
  const [input, output] = (await freePorts(2)).map(tcp);
  const prefixes = Array.from({ length: subscribers }, (_, i) => String.fromCharCode(97 + i).repeat(32));
  const program = launch(process.execPath, [join(here, "forwarder.mjs"), input, output, ...prefixes]);
  await program.line((line) => line === "ready");
  let known = 0;
  const changes = (from, word) => program.lines.slice(from).filter((line) => line === word).length;
  return {
    name: "bare forwarder",
    pid: program.child.pid,
    input,
    output,
    subscribe: async () => prefixes,
    async attached(count) {
      await program.line(() => changes(known, "attached") >= count);
    },
    async end() {
      await program.line(() => changes(known, "detached") >= changes(known, "attached"));
      known = program.lines.length;
    },
    stop: program.stop,
  };
}

/** @returns {Promise<Target & { stats: () => Promise<object> }>} */
export async function startBus() {
  const ports = await freePorts(3);
  const [manage, output, input] = ports.map(tcp);
  const program = launch(process.execPath, [join(here, "bus.mjs"), ...ports.map(String)], { ipc: true });
  await program.line((line) => line === "ready");
  return {
    name: "bus",
    pid: program.child.pid,
    input,
    output,
    subscribe: (count) => subscribeAll(manage, count),
    // The bus keeps what comes after its reply until the subscriber is there.
    attached: async () => {},
    end: (prefixes) => unsubscribeAll(manage, prefixes),
    stats: () => new Promise((resolve) => {
      program.child.once("message", resolve);
      program.child.send("stats");
    }),
    stop: program.stop,
  };
}

/** Installs the reference in a virtual environment of its own, once. Rejects if that is not possible. */
export const installReference = () => requireReference((progress) => console.log(`  ${progress}`));

/** Writes a configuration both the reference and our command read. */
export function writeConfiguration([manage, pub, sub], name) {
  mkdirSync(cache, { recursive: true });
  const path = join(cache, `${name}.yaml`);
  const zmq = `{host: "127.0.0.1", manage: ${manage}, pub: ${pub}, sub: ${sub}}`;
  writeFileSync(path, `logging: {console: true, console_verbosity: ERROR, file: false}\nplugins:\n  backbones: {inmem: {}}\n  apps:\n    zmq: ${zmq}\n`);
  return path;
}

/** @returns {Promise<Target>} */
export async function startReference(bin) {
  const ports = await freePorts(3);
  const [manage, output, input] = ports.map(tcp);
  const program = launch(bin, ["-c", writeConfiguration(ports, "reference")]);
  const prefix = await subscribe(manage, 20_000);
  await unsubscribe(manage, prefix);
  return {
    name: "reference",
    pid: program.child.pid,
    input,
    output,
    subscribe: (count) => subscribeAll(manage, count),
    // It says nothing when a subscriber has come; a connection over loopback takes a few milliseconds.
    attached: () => pause(1_000),
    end: (prefixes) => unsubscribeAll(manage, prefixes),
    stop: () => program.stop(500),
  };
}

export async function subscribeAll(manage, count) {
  const prefixes = [];
  for (let i = 0; i < count; i++) prefixes.push(await subscribe(manage));
  return prefixes;
}

export async function unsubscribeAll(manage, prefixes) {
  for (const prefix of prefixes) await unsubscribe(manage, prefix);
}
