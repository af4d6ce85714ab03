/** Until when live matching has seen all there was, on disk: what came after is made good once node and bridge are back. */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Milliseconds that events need at most from import to the live client, and clocks may differ. */
const margin = 10_000;

export class Mark {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "live.json");
  }

  /** Milliseconds since 1970-01-01 UTC; undefined if live matching never ran, or nobody can say. */
  async read(): Promise<number | undefined> {
    try {
      const { seen } = JSON.parse(await readFile(this.#file, "utf8")) as { seen?: unknown };
      return typeof seen === "number" && Number.isFinite(seen) ? seen - margin : undefined;
    } catch {
      return undefined;
    }
  }

  async write(seen: number): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify({ seen }), { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }
}
