import type { WriteStream } from "node:tty";
import type { Logger } from "@threatbus/core";

/** Milliseconds between two counts where lines cannot be replaced. */
const between = 1_000;

/** Lines for a person, and below them, on a terminal, one that changes. */
export class Screen {
  readonly #out: WriteStream | NodeJS.WritableStream;
  readonly #terminal: boolean;
  #count = "";
  #told = 0;

  constructor(out: WriteStream | NodeJS.WritableStream) {
    this.#out = out;
    this.#terminal = "isTTY" in out && out.isTTY;
  }

  say(text: string): void {
    this.#out.write(this.#terminal ? `\r\x1b[K${text}\n${this.#count}` : `${text}\n`);
  }

  /** Replaces the running count. Elsewhere than on a terminal it becomes a line now and then. */
  count(text: string): void {
    if (text === this.#count) return;
    this.#count = text;
    if (this.#terminal) this.#out.write(`\r\x1b[K${text}`);
    else if (Date.now() - this.#told >= between) {
      this.#told = Date.now();
      this.#out.write(`${text}\n`);
    }
  }

  /** Takes the count away. */
  clear(): void {
    if (this.#terminal && this.#count !== "") this.#out.write("\r\x1b[K");
    this.#count = "";
  }
}

/** Warnings and errors of the bus among the other lines. Not that MISP is not there: so it is before it begins and after it ends. */
export function loggerOn(screen: Screen): Logger {
  const nothing = (): void => undefined;
  const say = (text: string, plugin: unknown = "bus"): void => screen.say(printable(`!         ${String(plugin)}: ${text}`));
  return {
    debug: nothing,
    info: nothing,
    warn: (text, { plugin } = {}) => plugin === "misp" || say(text, plugin),
    error: (text, { plugin } = {}) => say(text, plugin),
  };
}

/** What came from outside, fit for a terminal: one line, no control characters. */
export function printable(text: string): string {
  return text.replace(/\p{C}/gu, "·").slice(0, 120);
}
