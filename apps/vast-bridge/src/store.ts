/**
 * A map from keys to JSON texts that outlives the process: one file that is only appended to, and written anew when most of it is out of date. A
 * line is `["key",value]`, or `["key"]` for what is gone. Values stay on disk; memory holds keys and places.
 */
import { closeSync, fdatasync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** Bytes of one value. */
export const maxValueBytes: number = 2 ** 20 - 1;
/** Bytes below which a file is left as it is, however much of it is out of date. */
const smallFile = 4 * 1024 * 1024;
const chunk = 1024 * 1024;
const newline = 0x0a;
/** Milliseconds that the loss of power may cost; the end of the process costs nothing. */
const syncEvery = 1_000;

export class Store {
  readonly path: string;
  #fd: number;
  /** Offset and length of each value in one number: 2^32 bytes of file and more, 2^20 of value. */
  readonly #places = new Map<string, number>();
  #end = 0;
  /** Bytes of lines that are still true. */
  #live = 0;
  #damaged = 0;
  #sync: NodeJS.Timeout | undefined;

  /** Opens the file, made if it is missing. A last line without its end, as a killed process leaves it, is cut off. Throws what the system throws. */
  constructor(path: string) {
    this.path = path;
    this.#fd = openSync(path, "a+", 0o600);
    this.#load();
  }

  get size(): number {
    return this.#places.size;
  }

  /** Lines that could not be read when the file was opened. */
  get damaged(): number {
    return this.#damaged;
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  /** In the order in which they were set last. */
  keys(): IterableIterator<string> {
    return this.#places.keys();
  }

  get(key: string): string | undefined {
    const place = this.#places.get(key);
    if (place === undefined) return undefined;
    const bytes = Buffer.allocUnsafe(lengthOf(place));
    readWhole(this.#fd, bytes, offsetOf(place));
    return bytes.toString("utf8");
  }

  /** In the file when it returns: the end of this process loses nothing. `text` is JSON in one line. Throws what the system throws, e.g. on a full disk. */
  set(key: string, text: string): void {
    const name = JSON.stringify(key);
    const line = Buffer.from(`[${name},${text}]\n`);
    const length = line.length - Buffer.byteLength(name) - 4;
    if (length > maxValueBytes || text.includes("\n")) throw new RangeError("a value is one line of at most 1 MiB");
    this.#append(line);
    this.#forget(key);
    this.#places.set(key, placeOf(this.#end - length - 2, length));
    this.#live += line.length;
    this.#tidy();
  }

  /** On a disk that takes nothing the key is gone for this process, and back in the next. */
  delete(key: string): void {
    if (!this.#places.has(key)) return;
    try {
      this.#append(Buffer.from(`[${JSON.stringify(key)}]\n`));
    } catch {
      // What is done twice is harmless wherever a store is used; what stops half-way is not.
    }
    this.#forget(key);
    this.#tidy();
  }

  close(): void {
    if (this.#fd < 0) return;
    clearTimeout(this.#sync);
    fsyncSync(this.#fd);
    closeSync(this.#fd);
    this.#fd = -1;
  }

  #append(line: Buffer): void {
    try {
      writeWhole(this.#fd, line);
    } catch (thrown) {
      // Half a line would swallow the next.
      ftruncateSync(this.#fd, this.#end);
      throw thrown;
    }
    this.#end += line.length;
    this.#sync ??= setTimeout(() => {
      this.#sync = undefined;
      fdatasync(this.#fd, () => undefined);
    }, syncEvery).unref();
  }

  #forget(key: string): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#live -= lineLength(key, place);
    this.#places.delete(key);
  }

  #tidy(): void {
    if (this.#end > smallFile && this.#end > this.#live * 2) this.#compact();
  }

  /** Copies what is true beside the file and puts it in its place; ended half-way, the old file stands. */
  #compact(): void {
    const beside = `${this.path}.new`;
    const fd = openSync(beside, "w+", 0o600);
    let end = 0;
    try {
      for (const [key, place] of this.#places) {
        const line = Buffer.allocUnsafe(lineLength(key, place));
        readWhole(this.#fd, line, offsetOf(place) - prefixLength(key));
        writeWhole(fd, line);
        end += line.length;
      }
      fsyncSync(fd);
      renameSync(beside, this.path);
    } catch {
      // No room for a second file: the first goes on growing.
      closeSync(fd);
      return;
    }
    syncFolder(dirname(this.path));
    closeSync(fd);
    closeSync(this.#fd);
    // Opened anew to append: a descriptor keeps the mode it was opened with.
    this.#fd = openSync(this.path, "a+", 0o600);
    let offset = 0;
    for (const [key, place] of this.#places) {
      this.#places.set(key, placeOf(offset + prefixLength(key), lengthOf(place)));
      offset += lineLength(key, place);
    }
    this.#end = this.#live = end;
  }

  #load(): void {
    const { size } = fstatSync(this.#fd);
    let rest = Buffer.alloc(0);
    for (let at = 0; at < size; ) {
      const bytes = Buffer.allocUnsafe(Math.min(chunk, size - at));
      readWhole(this.#fd, bytes, at);
      at += bytes.length;
      const text = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      let from = 0;
      for (let to = text.indexOf(newline); to >= 0; to = text.indexOf(newline, from)) {
        this.#read(text.subarray(from, to));
        from = to + 1;
      }
      rest = text.subarray(from);
    }
    if (rest.length > 0) ftruncateSync(this.#fd, size - rest.length);
  }

  #read(line: Buffer): void {
    const text = line.toString("utf8");
    const [prefix, name = "", mark] = /^\[("(?:[^"\\]|\\.)*")([,\]])/.exec(text) ?? [];
    const length = line.length - Buffer.byteLength(prefix ?? "") - 1;
    let key: string | undefined;
    try {
      // The whole line, not only its key: what a fault of the disk left is not to be told to anybody.
      key = (JSON.parse(text) as [string])[0];
    } catch {
      key = undefined;
    }
    if (prefix === undefined || key === undefined || JSON.stringify(key) !== name || length > maxValueBytes) this.#damaged++;
    else {
      this.#forget(key);
      if (mark === ",") {
        this.#places.set(key, placeOf(this.#end + Buffer.byteLength(prefix), length));
        this.#live += line.length + 1;
      }
    }
    this.#end += line.length + 1;
  }
}

function placeOf(offset: number, length: number): number {
  return offset * 2 ** 20 + length;
}

function offsetOf(place: number): number {
  return Math.floor(place / 2 ** 20);
}

function lengthOf(place: number): number {
  return place % 2 ** 20;
}

/** `["key",` */
function prefixLength(key: string): number {
  return Buffer.byteLength(JSON.stringify(key)) + 2;
}

function lineLength(key: string, place: number): number {
  return prefixLength(key) + lengthOf(place) + 2;
}

function readWhole(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const count = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (count === 0) throw new Error("the file is shorter than it was");
    done += count;
  }
}

function writeWhole(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
