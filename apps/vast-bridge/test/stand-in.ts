import { appendFileSync, chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = new URL("./stand-in/vast.mjs", import.meta.url).href;

export interface Call {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly stdin: string;
}

/** A program to be called `vast`, with events of its own, in a folder of its own. */
export class StandIn {
  readonly folder: string = mkdtempSync(join(tmpdir(), "threatbus-vast-"));
  readonly binary: string = join(this.folder, "vast");

  constructor() {
    writeFileSync(this.binary, `#!${process.execPath}\nprocess.env.STAND_IN = ${JSON.stringify(this.folder)};\nimport(${JSON.stringify(script)});\n`);
    chmodSync(this.binary, 0o755);
  }

  /** In its place a script of the shell's, for many at a time. */
  shell(text: string): void {
    writeFileSync(this.binary, `#!/bin/sh\ncd '${this.folder}'\n${text}\n`);
  }

  /** The past. */
  events(...events: readonly (object | string)[]): void {
    writeFileSync(join(this.folder, "events.ndjson"), events.map((event) => `${typeof event === "string" ? event : JSON.stringify(event)}\n`).join(""));
  }

  /** What comes now. */
  happens(...events: readonly object[]): void {
    appendFileSync(join(this.folder, "live.ndjson"), events.map((event) => `${JSON.stringify(event)}\n`).join(""));
  }

  set(flag: "down" | "old" | "refuse", on: boolean): void {
    if (on) writeFileSync(join(this.folder, flag), "");
    else rmSync(join(this.folder, flag), { force: true });
  }

  get calls(): Call[] {
    return this.#lines("calls.ndjson") as Call[];
  }

  /** Arguments of the calls, the one after the endpoint being this word. */
  argv(word: string): (readonly string[])[] {
    return this.calls.map(({ argv }) => argv).filter((argv) => argv.includes(word));
  }

  /** What the matcher was told, in its order. */
  get told(): { readonly add?: string; readonly remove?: string; readonly context?: string }[] {
    return this.#lines("matcher.ndjson") as { add?: string }[];
  }

  /** How many matchers were watching, so far: what happens before is not seen. */
  get watching(): number {
    return this.#lines("watching.ndjson").length;
  }

  clean(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #lines(name: string): unknown[] {
    const path = join(this.folder, name);
    return existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1).map((line) => JSON.parse(line) as unknown) : [];
  }
}
