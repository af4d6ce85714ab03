// The load programs in load/: compiled on first use, then run.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { templatesPath } from "./indicators.mjs";
import { complete, launch } from "./processes.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const sources = join(here, "load");
const built = join(here, ".cache", "load");
const programs = ["blast", "drain", "pingpong"];

/** Compiles what changed. Needs a C compiler and libzmq's header; as root on Debian it installs them. */
export async function buildLoad() {
  mkdirSync(built, { recursive: true });
  if (!(await canCompile())) {
    console.log("The load generator needs a C compiler and libzmq: trying apt-get install build-essential libzmq3-dev");
    await complete("sh", ["-c", "apt-get update -q && apt-get install -qy build-essential libzmq3-dev"], 600_000).catch(() => {});
    if (!(await canCompile())) {
      throw new Error("cannot build the load generator: install a C compiler and libzmq (Debian: apt-get install build-essential libzmq3-dev)");
    }
  }
  for (const program of programs) {
    const inputs = [`${program}.c`, "frames.c", "frames.h"].map((name) => join(sources, name));
    const output = join(built, program);
    if (existsSync(output) && inputs.every((input) => statSync(input).mtimeMs < statSync(output).mtimeMs)) continue;
    await complete("cc", ["-O2", "-Wall", "-Wextra", "-std=gnu11", "-o", output, inputs[0], inputs[1], "-lzmq"]);
  }
}

async function canCompile() {
  const probe = "printf '#include <zmq.h>\\nint main(void){return !zmq_ctx_new();}' | cc -x c - -o \"$0\" -lzmq";
  return complete("sh", ["-c", probe, join(built, "probe")]).then(() => true, () => false);
}

/** Sends `count` indicators numbered from `first`, at most `rate` per second (0: as fast as they are taken); other messages with `templates` and `topic`. */
export async function blast({ to, count, first = 0, rate = 0, templates = templatesPath, topic, bind = false }) {
  const args = ["-e", to, "-n", `${count}`, "-s", `${first}`, "-t", templates, ...(rate > 0 ? ["-r", `${rate}`] : []), ...(topic === undefined ? [] : ["-p", topic]), ...(bind ? ["-b"] : [])];
  return JSON.parse((await complete(join(built, "blast"), args, 600_000)).at(-1));
}

/** Starts one subscriber per prefix; resolves when they are connected. `result()` waits for the end and has what they got. */
export async function drain({ from, prefixes, count, first = 0, idle = 2_000, bind = false }) {
  const args = ["-e", from, "-n", `${count}`, "-s", `${first}`, "-i", `${idle}`, ...(bind ? ["-b"] : []), ...prefixes];
  const program = launch(join(built, "drain"), args);
  await program.line((line) => line === "ready");
  return { child: program.child, result: async () => JSON.parse((await program.ended).lines.at(-1)) };
}

/** One message in flight, `count` times, in microseconds. */
export async function pingpong({ to, from, prefix, count, first = 0 }) {
  const args = ["-o", to, "-e", from, "-n", `${count}`, "-s", `${first}`, "-t", templatesPath, prefix];
  return JSON.parse((await complete(join(built, "pingpong"), args)).at(-1));
}
