import { createReadStream, mkdirSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { isThreatbusError, lockFile, reasonOf, ThreatbusError } from "@threatbus/core";
import type { FileLock } from "@threatbus/core";
import { header, headerForm, readLine } from "./line.ts";
import type { Line } from "./line.ts";

/** Bytes read at a time. */
const chunkBytes = 1024 * 1024;
/** No line is longer: a message has at most 16 MiB. */
const longestLine = 64 * 1024 * 1024;

/** What a state file held. */
export interface Found {
  /** There was a file with a state in it. */
  readonly existed: boolean;
  /** Lines that could be read. */
  readonly lines: number;
  /** Lines in its midst that could not: 0 for a whole file. -1: it is no state file. */
  readonly damaged: number;
  /** Up to where it is whole. A process that died while writing leaves half a line behind. */
  readonly bytes: number;
}

/**
 * Keeps a state file, and its folder there, to one MISP of one process: two that write one file would spoil it. Returns what gives it free.
 * At once, so that of two that start side by side the first has it.
 * @throws ThreatbusError `PLUGIN_START_FAILED` if another has it, `OPTIONS_INVALID` if it cannot be written
 */
export function reserve(path: string): () => void {
  let lock: FileLock;
  try {
    mkdirSync(dirname(path), { recursive: true });
    lock = lockFile(`${path}.lock`);
  } catch (thrown) {
    throw unwritable(path, thrown);
  }
  if ("release" in lock) return lock.release;
  const holder = lock.holder === process.pid ? "another MISP of this process" : `process ${lock.holder}`;
  throw new ThreatbusError("PLUGIN_START_FAILED", `state.path: ${path} is in use by ${holder}`, { hint: "end that one, or give each MISP a state.path of its own" });
}

/**
 * Reads a state file line by line.
 * @throws ThreatbusError `OPTIONS_INVALID` if it cannot be read or is of a later version
 */
export async function readState(path: string, take: (line: Line) => void): Promise<Found> {
  let rest: Buffer = Buffer.alloc(0);
  let lines = 0, damaged = 0, whole = 0, at = 0, started = false;
  // A line that cannot be read is half a line only if nothing comes after it.
  let bad = 0;
  const one = (bytes: Buffer): void => {
    at += bytes.length + 1;
    const line = parsed(bytes);
    if (line === undefined) return void bad++;
    damaged += bad;
    bad = 0;
    take(line);
    lines++;
    whole = at;
  };
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>) {
      let bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      if (!started && bytes.length > 0) {
        const version = headerForm.exec(bytes.toString("latin1", 0, 64))?.[1];
        if (version === undefined) return { existed: true, lines, damaged: -1, bytes: 0 };
        if (version !== "1") throw problem(path, `was written by a later version of this plugin (its form is ${version}, this one reads 1)`, "update @threatbus/misp, or name another file");
        started = true;
        at = whole = header.length;
        bytes = bytes.subarray(at);
      }
      let from = 0;
      for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, from)) {
        one(bytes.subarray(from, end));
        from = end + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > longestLine) {
        one(rest);
        rest = Buffer.alloc(0);
      }
    }
  } catch (thrown) {
    if (isMissing(thrown)) return { existed: false, lines: 0, damaged: 0, bytes: 0 };
    throw isThreatbusError(thrown) ? thrown : problem(path, `cannot be read: ${reasonOf(thrown)}`, "give the process the right to read it, or name another file", thrown);
  }
  return { existed: started, lines, damaged: damaged + Math.max(bad - 1, 0), bytes: whole };
}

/** Appends to a state file, or writes one anew beside it and puts it in its place. */
export class StateFile {
  readonly #path: string;
  #handle: FileHandle;
  #bytes: number;

  private constructor(path: string, handle: FileHandle, bytes: number) {
    this.#path = path;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /**
   * @param bytes of it that are kept; with 0 a file is begun
   * @throws ThreatbusError `OPTIONS_INVALID` if it cannot be written
   */
  static async open(path: string, bytes: number): Promise<StateFile> {
    try {
      const handle = await open(path, bytes > 0 ? "r+" : "w", 0o600);
      const file = new StateFile(path, handle, bytes);
      if (bytes > 0) await handle.truncate(bytes);
      else await file.append(header);
      return file;
    } catch (thrown) {
      throw unwritable(path, thrown);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the text is on the disk. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    for (let done = 0; done < bytes.length; ) done += (await this.#handle.write(bytes, done, bytes.length - done, this.#bytes + done)).bytesWritten;
    await this.#handle.datasync();
    this.#bytes += bytes.length;
  }

  /** Writes the file anew; whatever happens on the way, either the old one or the whole new one is there. */
  async rewrite(parts: Iterable<string>): Promise<void> {
    const beside = `${this.#path}.new`;
    const handle = await open(beside, "w", 0o600);
    let bytes = 0;
    try {
      for (const part of parts) {
        await handle.appendFile(part);
        bytes += Buffer.byteLength(part);
      }
      await handle.sync();
      await rename(beside, this.#path);
      await syncFolder(dirname(this.#path));
    } catch (thrown) {
      await handle.close();
      await rm(beside, { force: true });
      throw thrown;
    }
    await this.#handle.close();
    this.#handle = handle;
    this.#bytes = bytes;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Where a file that cannot be read whole is kept. */
export async function setAside(path: string, now: number): Promise<string> {
  const aside = `${path}.damaged-${new Date(now).toISOString().replace(/[:.]/g, "-")}`;
  await rename(path, aside);
  return aside;
}

function parsed(bytes: Buffer): Line | undefined {
  try {
    return readLine(bytes);
  } catch {
    return undefined;
  }
}

/** A rename outlives a power cut only when its folder is on the disk. Not every file system can do that. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch {
    // The file itself is safe.
  } finally {
    await handle.close();
  }
}

function isMissing(thrown: unknown): boolean {
  return (thrown as { code?: unknown }).code === "ENOENT";
}

function unwritable(path: string, thrown: unknown): ThreatbusError {
  return problem(path, `cannot be written: ${reasonOf(thrown)}`, "give the process the right to write it, or name another file", thrown);
}

function problem(path: string, what: string, hint: string, cause?: unknown): ThreatbusError {
  return new ThreatbusError("OPTIONS_INVALID", `state.path: ${path} ${what}`, { hint, ...(cause !== undefined && { cause }) });
}
