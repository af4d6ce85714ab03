/** Runs programs with the client `tenzir`, one process each. None outlives its purpose, its time, or its node. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Child } from "../../child.ts";
import { EngineError, type EngineHost } from "../../engine.ts";
import type { TenzirOptions } from "./options.ts";
import { pulseOf } from "./pulse.ts";

export interface Run {
  /** Lines for standard input. Default: none. */
  readonly input?: Iterable<string>;
  /** Milliseconds it may take. Default: as long as it wants. */
  readonly patience?: number;
  readonly signal?: AbortSignal;
  /** Told of each sign of life of the node. */
  readonly onSign?: () => void;
  /** Whether it needs the node. Default true. */
  readonly node?: boolean;
}

/** The reason of a run that took longer than it may. */
export class TookTooLong extends EngineError {
  constructor(patience: number) {
    super(`Tenzir did not answer within ${Math.round(patience / 1000)} s`);
  }
}

/** UTF-16 units written at once. */
const portion = 64 * 1024;

export class Client {
  readonly #options: TenzirOptions;
  readonly #host: EngineHost;
  readonly #folder: string;
  #files = 0;

  constructor(options: TenzirOptions, host: EngineHost) {
    this.#options = options;
    this.#host = host;
    this.#folder = join(host.stateDir, "programs");
  }

  /** Names the bridge in the environment of its children. */
  get owner(): string {
    return this.#host.stateDir;
  }

  /** Removes what a killed process left. */
  async prepare(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
    await mkdir(this.#folder, { recursive: true });
  }

  /** Writes a file for Tenzir to read: programs and lists reach it this way, whatever their size. Whoever asked removes it. */
  async file(name: string, content: string): Promise<string> {
    const path = join(this.#folder, `${this.#files++}-${name}`);
    try {
      await writeFile(path, content, { mode: 0o600 });
      return path;
    } catch (thrown) {
      throw new EngineError(`cannot write to the state directory: ${codeOf(thrown)}`, { cause: thrown });
    }
  }

  /**
   * The lines that a program prints, as they come; it waits for who reads them. They end when it has ended by itself and complained of nothing;
   * its exit code says little. Throws the signal's reason, {@link TookTooLong}, or an {@link EngineError}. Either way the process is gone then.
   */
  async *lines(program: string, { input = [], patience, signal, onSign, node = true }: Run = {}): AsyncGenerator<string> {
    signal?.throwIfAborted();
    const { binary, endpoint, silence } = this.#options;
    const path = await this.file("program.tql", program);
    const late = new AbortController();
    const timer = patience === undefined ? undefined : setTimeout(() => late.abort(new TookTooLong(patience)), patience);
    const pulse = node ? pulseOf(endpoint, silence * 1_000, onSign) : undefined;
    const over = AbortSignal.any([late, ...(pulse === undefined ? [] : [pulse]), ...(signal === undefined ? [] : [{ signal }])].map((each) => each.signal));
    const child = new Child({ file: binary, args: [`--endpoint=${endpoint}`, "-f", path], env: { TENZIR_CONNECTION_TIMEOUT: `${silence}s` }, owner: this.owner });
    const stop = (): void => void child.stop();
    over.addEventListener("abort", stop);
    // It may have fired while the file was written.
    if (over.aborted) stop();
    this.#host.metrics.counter("tenzir_programs").add();
    try {
      const feeding = feed(child, input, over);
      for await (const line of child.lines()) {
        if (over.aborted) break;
        yield line;
      }
      const exit = await child.exit;
      await feeding;
      over.throwIfAborted();
      judge(exit, binary);
    } finally {
      clearTimeout(timer);
      pulse?.stop();
      over.removeEventListener("abort", stop);
      await child.stop();
      await rm(path, { force: true });
    }
  }

  /** All lines of a short program. Its time is limited: by default to `call_timeout`. */
  async ask(program: string, run: Run = {}): Promise<string[]> {
    const lines: string[] = [];
    for await (const line of this.lines(program, { patience: this.#options.call_timeout * 1_000, ...run })) lines.push(line);
    return lines;
  }
}

async function feed(child: Child, lines: Iterable<string>, over: AbortSignal): Promise<void> {
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < portion) continue;
    await child.write(text);
    text = "";
    if (over.aborted) return;
  }
  await child.write(text);
  child.endInput();
}

function judge({ code, signal, failure, stderr }: Awaited<Child["exit"]>, binary: string): void {
  if (failure !== undefined) {
    const hint = "install Tenzir 6, or have tenzir.binary name its client";
    throw new EngineError(`${JSON.stringify(binary)} cannot be started: ${failure}`, { permanent: ["ENOENT", "EACCES", "ENOEXEC"].includes(failure), hint });
  }
  const complaint = /^error: (.*)/m.exec(stderr)?.[1];
  if (complaint !== undefined) throw new EngineError(`Tenzir reports: ${printable(complaint)}`);
  if (code !== 0) throw new EngineError(`Tenzir ended with ${signal ?? `exit code ${code}`}: ${printable(stderr.trim().split("\n").at(-1) ?? "")}`);
}

/** For messages: one line of modest length. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, "?").slice(0, 300);
}

function codeOf(thrown: unknown): string {
  return (thrown as NodeJS.ErrnoException).code ?? "EUNKNOWN";
}
