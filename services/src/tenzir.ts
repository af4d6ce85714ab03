/** Tenzir nodes, each with a state directory of its own. */
import { execFile, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "@threatbus/testkit";
import { privateFolder, removeFolder } from "./folder.ts";
import { answerOf } from "./probe.ts";
import { marker } from "./processes.ts";
import { Program, controlsOf } from "./program.ts";
import type { Service } from "./service.ts";
import { requireTenzir } from "./tenzir-install.ts";

const run = promisify(execFile);

export interface TenzirOptions {
  /** More variables for the node, such as `TENZIR_IMPORT_BUFFER_TIMEOUT`. Default: none. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Tenzir extends Service {
  /** `127.0.0.1:port` */
  readonly endpoint: string;
  readonly port: number;
  /** The client: `tenzir`. */
  readonly binary: string;
  /** For files that a pipeline reads or writes; goes with the node. */
  readonly folder: string;
  /**
   * Runs a pipeline to its end. Resolves with what it printed; rejects with what it said was wrong, or when the node is killed. `input` goes to
   * its standard input.
   */
  run(pipeline: string, input?: string): Promise<string>;
}

/** Milliseconds one pipeline may take. */
const patience = 120_000;

/** Starts a node on 127.0.0.1 alone. Resolves when it takes connections. */
export async function tenzir({ env: more = {} }: TenzirOptions = {}): Promise<Tenzir> {
  const programs = await requireTenzir();
  const folder = await privateFolder("tenzir");
  try {
    return await launchIn(folder, programs, more);
  } catch (thrown) {
    removeFolder(folder);
    throw thrown;
  }
}

async function launchIn(folder: string, programs: string, more: Readonly<Record<string, string>>): Promise<Tenzir> {
  const port = await freePort();
  const endpoint = `127.0.0.1:${port}`;
  const binary = join(programs, "tenzir");
  const env = { PATH: process.env["PATH"], LANG: "C.UTF-8", HOME: folder, TMPDIR: folder, [marker]: folder, ...more };
  const node = new Program({
    name: "Tenzir",
    file: join(programs, "tenzir-node"),
    // The last: without it, the node also listens on all interfaces.
    args: [`--state-directory=${join(folder, "state")}`, `--endpoint=${endpoint}`, "--caf.middleman.enable-automatic-connections=false"],
    env,
    folder,
    log: join(folder, "output.log"),
    answers: () => answersTenzir(port),
  });
  await node.start();
  // A client whose node dies waits for ever.
  let alive = new AbortController();
  const command = async (pipeline: string, input = ""): Promise<string> => {
    const { signal } = alive;
    const running = run(binary, [`--endpoint=${endpoint}`, pipeline], { cwd: folder, env, signal, killSignal: "SIGKILL", timeout: patience, maxBuffer: 1024 * 1024 * 1024 });
    running.child.stdin?.on("error", () => undefined).end(input);
    const { stdout, stderr } = await running.finally(() => ended(running.child));
    const failure = /^error: .*/m.exec(stderr)?.[0];
    if (failure !== undefined) throw new Error(failure);
    return stdout;
  };
  const controls = controlsOf(node, folder);
  const { version } = JSON.parse(await command("version | select version | write_ndjson")) as { version: string };
  return {
    host: "127.0.0.1",
    endpoint,
    port,
    binary,
    folder,
    version,
    get pid() {
      return node.pid;
    },
    run: command,
    ...controls,
    async kill() {
      await controls.kill();
      alive.abort();
      alive = new AbortController();
    },
    async stop() {
      await controls.stop();
      alive.abort();
    },
  };
}

/** Resolves when a client is dead: its promise is rejected as soon as it is sent the signal. */
async function ended(client: ChildProcess): Promise<void> {
  if (client.pid !== undefined && client.exitCode === null && client.signalCode === null) await once(client, "exit");
}

/** A node speaks first: a handshake of CAF's protocol, which carries the name of the application. */
function answersTenzir(port: number): Promise<boolean> {
  return answerOf(connect(port, "127.0.0.1"), Buffer.alloc(0), (received) => (received.includes("tenzir") ? true : undefined));
}
