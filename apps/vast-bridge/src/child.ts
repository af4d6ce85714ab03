/** A program that runs beside the bridge: its lines are read as they come, it is asked to end before it is made to, and it is always reaped. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { systemClock } from "@threatbus/core";
import { linesOf } from "./lines.ts";

export interface Command {
  /** Found on PATH if it has no slash. Runs without a shell. */
  readonly file: string;
  readonly args: readonly string[];
  /** Added to the bridge's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names the bridge that started it, see {@link endStrays}: a folder of the bridge's own. */
  readonly owner?: string;
}

export interface Exit {
  /** Undefined if a signal ended it, or it did not start. */
  readonly code?: number;
  readonly signal?: NodeJS.Signals;
  /** Why it did not start: `ENOENT`, `EACCES`, `E2BIG` … */
  readonly failure?: string;
  /** The end of what it wrote to standard error, 8 KiB at most. */
  readonly stderr: string;
}

/** A signal, and the milliseconds a program has to end after it. */
export type Step = readonly [signal: NodeJS.Signals, patience: number];

/** Asked once, asked again, made to. */
const gently: readonly Step[] = [["SIGTERM", 1_000], ["SIGTERM", 1_000], ["SIGKILL", 5_000]];

/** Carried in the environment of every child that has an owner. */
const marker = "VAST_THREATBUS_OWNER";

/** Bytes. */
const keptStderr = 8 * 1024;

export class Child {
  /** Resolves when the process is gone and reaped, or did not start. Never rejects. */
  readonly exit: Promise<Exit>;
  readonly #process: ChildProcess | undefined;
  readonly #steps: readonly Step[];
  #stderr = Buffer.alloc(0);
  #stopping: Promise<Exit> | undefined;
  #gone = false;

  /** @param steps how {@link stop} goes about it */
  constructor({ file, args, env, owner }: Command, steps: readonly Step[] = gently) {
    this.#steps = steps;
    const environment = { ...process.env, ...env, ...(owner !== undefined && { [marker]: owner }) };
    try {
      // A process group of its own: signals reach what it starts, and Ctrl-C in the bridge's terminal does not.
      this.#process = spawn(file, args, { env: environment, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    } catch (thrown) {
      this.#process = undefined;
      this.#gone = true;
      this.exit = Promise.resolve({ failure: codeOf(thrown), stderr: "" });
      return;
    }
    this.exit = this.#watch(this.#process);
  }

  /** Undefined if it did not start. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /**
   * Lines of standard output, without their ends; what is not UTF-8 in them is replaced. Read once. While nobody asks for the next, the program
   * is made to wait. Ends with the output. A line of more than `longest` bytes (default 16 MiB) is left out, and told to `onLong`.
   */
  lines(longest: number = 16 * 1024 * 1024, onLong: (bytes: number) => void = () => undefined): AsyncGenerator<string> {
    return linesOf(this.#process?.stdout ?? [], longest, onLong);
  }

  /** Writes to standard input; resolves when there is room for more. What a program that is gone or closed its input does not take is dropped. */
  async write(text: string): Promise<void> {
    const input = this.#process?.stdin;
    if (this.#gone || input == null || !input.writable || input.write(text)) return;
    await Promise.race([once(input, "drain").catch(() => undefined), this.exit]);
  }

  /** Says that there is no more. */
  endInput(): void {
    this.#process?.stdin?.end();
  }

  /** Ends it, step by step. Resolves when it is gone. Twice is harmless. */
  stop(): Promise<Exit> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  async #end(): Promise<Exit> {
    // A program that waits for room would not hear of a signal that it handles in the same thread.
    this.#process?.stdout?.resume();
    for (const [signal, patience] of this.#steps) {
      if (this.#gone) break;
      this.#signal(signal);
      const over = new AbortController();
      await Promise.race([this.exit, systemClock.sleep(patience, over.signal)]);
      over.abort();
    }
    // One that not even SIGKILL ends hangs in the kernel: it is not waited for.
    return this.#gone ? this.exit : { failure: "EUNKILLABLE", stderr: this.#tail() };
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#process?.pid;
    if (pid !== undefined) signalGroup(pid, signal);
  }

  async #watch(child: ChildProcess): Promise<Exit> {
    child.stdin?.on("error", () => undefined);
    child.stdout?.on("error", () => undefined);
    child.stderr?.on("error", () => undefined).on("data", (chunk: Buffer) => {
      this.#stderr = Buffer.concat([this.#stderr, chunk]).subarray(-keptStderr);
    });
    const exit = await new Promise<Omit<Exit, "stderr">>((resolve) => {
      child.once("error", (thrown) => child.pid === undefined && resolve({ failure: codeOf(thrown) }));
      child.once("exit", (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
    });
    this.#gone = true;
    if (exit.failure === undefined && child.stderr?.readableEnded === false) {
      // Its last words may still be in the pipe; whoever inherited the pipe is not waited for.
      await Promise.race([once(child.stderr, "close"), systemClock.sleep(200)]);
    }
    return { ...exit, stderr: this.#tail() };
  }

  #tail(): string {
    return this.#stderr.toString("utf8");
  }
}

/**
 * Ends what an earlier process of the same bridge left running, which only a SIGKILL of the bridge makes it do. Known by the owner in their
 * environment, where the system shows it (Linux). Resolves with how many there were, when they are gone.
 */
export async function endStrays(owner: string, steps: readonly Step[] = gently): Promise<number> {
  const strays = straysOf(owner);
  for (const [signal, patience] of steps) {
    for (const pid of straysOf(owner)) signalGroup(pid, signal);
    for (let waited = 0; waited < patience && straysOf(owner).length > 0; waited += 20) await systemClock.sleep(20);
  }
  return strays.length;
}

function straysOf(owner: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return pid !== process.pid && readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(`${marker}=${owner}`);
    } catch {
      // Gone meanwhile, or another user's.
      return false;
    }
  });
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // It is gone, or it leads no group.
    }
  }
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? "EUNKNOWN";
}
