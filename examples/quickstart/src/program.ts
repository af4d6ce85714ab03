import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** Milliseconds a program gets to end by itself. */
const patience = 8_000;

/** A program of this example in a process of its own. It notices when this process dies, and ends too. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stopping = false;

  /**
   * @param name `app` or `feed`: dist/app.js or dist/feed.js
   * @param hear is told each JSON object it writes
   * @param fail is told when it says that it failed, and when it ends without being asked
   */
  constructor(name: "app" | "feed", args: readonly string[], hear: (report: unknown) => void, fail: (error: Error) => void) {
    const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
    this.#child = fork(file, args, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
    const lines = createInterface({ input: this.#child.stdout ?? Readable.from([]) });
    // Not its "close" event, which does not come when this side has disconnected.
    this.#ended = Promise.all([once(this.#child, "exit"), once(lines, "close")]).then(([exit]) => {
      const [code, signal] = exit as unknown[];
      if (!this.#stopping) fail(new Error(`the ${name} ended early (${String(code ?? signal)})`));
    }, fail);
    lines.on("line", (line) => {
      const report = JSON.parse(line) as { event: string; reason?: string };
      if (report.event === "failed") fail(new Error(`the ${name} failed: ${report.reason}`));
      else hear(report);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const late = setTimeout(() => this.#child.kill("SIGKILL"), patience);
    if (this.#child.connected) this.#child.disconnect();
    await this.#ended;
    clearTimeout(late);
  }
}
