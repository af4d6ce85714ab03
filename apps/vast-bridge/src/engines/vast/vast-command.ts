import { Child } from "../../child.ts";
import type { Exit } from "../../child.ts";
import { Slots } from "../../slots.ts";

/** Runs the `vast` program, so many at a time. */
export class VastCommand {
  readonly #binary: string;
  readonly #owner: string;
  readonly #slots: Slots;

  constructor(binary: string, owner: string, parallel: number) {
    this.#binary = binary;
    this.#owner = owner;
    this.#slots = new Slots(parallel);
  }

  /** With nothing on its standard input. */
  start(argv: readonly string[], input: string = ""): Child {
    const child = new Child({ file: this.#binary, args: argv, owner: this.#owner });
    void child.write(input).then(() => child.endInput());
    return child;
  }

  /** Runs one to its end; what it prints is not of interest. Returns what went wrong. */
  run(argv: readonly string[], signal: AbortSignal, input?: string): Promise<string | undefined> {
    return this.#slots.with(async () => {
      if (signal.aborted) return undefined;
      const child = this.start(argv, input === undefined ? "" : `${input}\n`);
      const stop = (): void => void child.stop();
      signal.addEventListener("abort", stop);
      // Read, so that it does not wait for room.
      for await (const _ of child.lines());
      const exit = await child.exit;
      signal.removeEventListener("abort", stop);
      return this.failureOf(argv.slice(0, 4).join(" "), exit);
    });
  }

  /** In words, if it did not end well. */
  failureOf(what: string, { code, signal, failure, stderr }: Exit): string | undefined {
    if (failure !== undefined) return `${JSON.stringify(this.#binary)} cannot be started (${failure})`;
    if (code === 0) return undefined;
    const end = signal === undefined ? `exit code ${code}` : signal;
    return `${what} ended with ${end}${stderr.trim() === "" ? "" : `: ${JSON.stringify(stderr.trim().slice(-500))}`}`;
  }

  hintOf({ failure }: Exit): { readonly hint?: string } {
    return failure === "ENOENT" ? { hint: "install VAST, or set vast_binary to the path of its program" } : {};
  }
}
