import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Milliseconds a program gets to end by itself. */
const patience = 8_000;

/** A program of this example in a process of its own. It notices when this process dies, and ends too. */
export class Program {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #stopping = false;

  /**
   * @param name `app` or `feed`: dist/app.js or dist/feed.js
   * @param hear is told each JSON object it writes
   * @param fail is told when it ends with an error, or without being asked
   */
  constructor(name: "app" | "feed", args: readonly string[], hear: (report: unknown) => void, fail: (error: Error) => void) {
    const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
    this.#child = fork(file, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    this.#exited = once(this.#child, "exit").then(([code, signal]: unknown[]) => {
      if (code !== 0 && !this.#stopping) fail(new Error(`the ${name} ended early (${String(code ?? signal)})`));
    }, fail);
    if (this.#child.stdout !== null) createInterface({ input: this.#child.stdout }).on("line", (line) => hear(JSON.parse(line)));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const late = setTimeout(() => this.#child.kill("SIGKILL"), patience);
    if (this.#child.connected) this.#child.disconnect();
    await this.#exited;
    clearTimeout(late);
  }}
