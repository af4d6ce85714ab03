import { Buffer } from "node:buffer";
import type { Stats } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Followed, idOf } from "./followed.ts";
import { filesLike } from "./glob.ts";
import type { LogsOptions } from "./options.ts";
import { beginsLike, isTelling } from "./positions.ts";
import type { Position } from "./positions.ts";
import type { Tally } from "./tally.ts";

const compressed = /\.(?:gz|bz2|xz|zst|lz4|zip)$/;
/** Looks without anything new after which a file that has got a name of no interest is let go. */
const patience = 120;
/** Beginnings of files that were cut, by which copies of them are known. */
const maxPast = 64;

interface Entry {
  readonly file: Followed;
  /** Looks since it was among the files asked for, or had something new. */
  idle: number;
}

/** The files that are watched: found by pattern, known again under other names. */
export class Folder {
  readonly #options: LogsOptions;
  readonly #tally: Tally;
  readonly #entries = new Map<string, Entry>();
  /** Where files that are not open now were left. */
  #left: Position[] = [];
  #past: Position[] = [];
  /** Whether files that turn up were there before anybody watched. */
  #first = false;

  constructor(options: LogsOptions, tally: Tally) {
    this.#options = options;
    this.#tally = tally;
  }

  get files(): readonly Followed[] {
    return [...this.#entries.values()].map(({ file }) => file);
  }

  get positions(): readonly Position[] {
    return [...this.files.map(({ position }) => position), ...this.#left];
  }

  /** @param positions of the last time; undefined: there was none */
  async begin(positions: readonly Position[] | undefined): Promise<void> {
    this.#left = [...(positions ?? [])];
    this.#first = positions === undefined && this.#options.start === "end";
    await this.look();
    this.#first = false;
    for (const position of [...this.#left]) await this.#findMoved(position);
    // What is gone is gone; what turns up is new.
    this.#left = [];
  }

  /** Looks for files that are new, have other names, or are gone. */
  async look(): Promise<void> {
    for (const entry of this.#entries.values()) entry.idle++;
    for (const path of await filesLike(this.#options.files)) {
      if (compressed.test(path)) continue;
      try {
        const stats = await stat(path);
        if (stats.isFile()) await this.#see(path, idOf(stats));
      } catch (thrown) {
        if ((thrown as { code?: unknown }).code !== "ENOENT") this.#tally.unreadable(path, thrown);
      }
    }
    for (const { file, idle } of [...this.#entries.values()]) if (idle > patience) await this.#drop(file);
  }

  /** There is something new in it. */
  grew(file: Followed): void {
    const entry = this.#entries.get(file.id);
    if (entry !== undefined) entry.idle = 0;
  }

  /** It begins anew. */
  cut(before: Position): void {
    this.#past = [before, ...this.#past].slice(0, maxPast);
  }

  /** It cannot be read now; it is tried again where it was left. */
  async failed(file: Followed, thrown: unknown): Promise<void> {
    this.#tally.unreadable(file.path, thrown);
    this.#left.push(file.position);
    await this.#drop(file);
  }

  /** Their positions stay known. */
  async close(): Promise<void> {
    for (const file of this.files) await file.close();
  }

  async #see(path: string, id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.#follow(path);
    entry.file.path = path;
    entry.idle = 0;
  }

  async #follow(path: string): Promise<void> {
    const file = await Followed.open(path, this.#options.max_line, (handle, stats) => this.#offset(handle, stats));
    if (this.#entries.has(file.id)) await file.close();
    else this.#entries.set(file.id, { file, idle: 0 });
    this.#left = this.#left.filter(({ id }) => id !== file.id);
  }

  async #offset(file: FileHandle, stats: Stats): Promise<number> {
    const id = idOf(stats);
    const same = this.#left.find((position) => position.id === id);
    if (same !== undefined && same.offset <= stats.size && (await beginsLike(file, same.head))) return same.offset;
    // A copy that rotation made of a file before it cut it.
    for (const { head, offset } of [...this.positions, ...this.#past]) if (isTelling(head) && (await beginsLike(file, head))) return offset;
    return this.#first ? endOfLines(file, stats.size) : 0;
  }

  /** A file that was renamed while nobody watched, to a name that is not asked for. */
  async #findMoved({ id, path }: Position): Promise<void> {
    const folder = dirname(path);
    const names = await readdir(folder).catch(() => []);
    for (const name of names) {
      const other = join(folder, name);
      const stats = await stat(other).catch(() => undefined);
      if (stats === undefined || !stats.isFile() || idOf(stats) !== id || compressed.test(name)) continue;
      await this.#follow(other).catch((thrown: unknown) => this.#tally.unreadable(other, thrown));
      return;
    }
    this.#tally.gone(path);
  }

  async #drop(file: Followed): Promise<void> {
    this.#entries.delete(file.id);
    await file.close();
  }
}

/** Where the last whole line ends. */
async function endOfLines(file: FileHandle, size: number): Promise<number> {
  const bytes = Buffer.alloc(Math.min(size, 65_536));
  const { bytesRead } = await file.read(bytes, 0, bytes.length, size - bytes.length);
  const end = bytes.lastIndexOf(0x0a, bytesRead - 1);
  return end < 0 ? size : size - bytes.length + end + 1;
}
