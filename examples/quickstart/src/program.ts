import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

/** Milliseconds a program gets to end by itself. */
const patience = 8_000;

/** What a program says: the recording's `event`, the log's `severity` and `text`. */
export interface Said {
  readonly event?: string;
  readonly reason?: string;
  readonly severity?: string;
  readonly text?: string;
  readonly error?: { readonly message: string };
}

/** A program of this example in a process of its own. It notices when this process dies, and ends too. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #stopping = false;
  /** What it wrote last that is for people. */
  #words = "";

  /**
   * @param name `app` or `feed`: dist/app.js or dist/feed.js
   * @param folder where it works
   * @param hear is told each JSON object it writes, one a line
   * @param fail is told when it says that it failed, and when it ends without being asked
   */
  constructor(name: "app" | "feed", args: readonly string[], folder: string, hear: (said: Said) => void, fail: (error: Error) => void) {
    const file = fileURLToPath(new URL(`./${name}.js`, import.meta.url));
    // In a group of its own: Ctrl-C is for this process, which says when to end, so that nothing is cut short.
    this.#child = fork(file, args, { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    const read = (stream: Readable | null): Promise<unknown> => {
      const lines = createInterface({ input: stream ?? Readable.from([]) });
      lines.on("line", (line) => {
        const said = parse(line);
        if (said === undefined) this.#words = `${this.#words}\n${line}`.slice(-2_000);
        else if (said.event === "failed") fail(new Error(`the ${name} failed: ${said.reason}`));
        else hear(said);
      });
      return once(lines, "close");
    };
    // Not its "close" event, which does not come when this side has disconnected.
    this.#ended = Promise.all([once(this.#child, "exit"), read(this.#child.stdout), read(this.#child.stderr)]).then(([exit]) => {
      const [code, signal] = exit as unknown[];
      if (!this.#stopping) fail(new Error(`the ${name} ended early (${String(code ?? signal)})${this.#words}`));
    }, fail);
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

function parse(line: string): Said | undefined {
  try {
    return JSON.parse(line) as Said;
  } catch {
    return undefined;
  }
}
