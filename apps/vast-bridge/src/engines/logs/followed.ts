import { Buffer } from "node:buffer";
import type { Stats } from "node:fs";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { LineBlocks } from "./line-blocks.ts";
import { beginsLike, headLength, headOf } from "./positions.ts";
import type { Head, Position } from "./positions.ts";
import { pieceSize } from "./reading.ts";

/** Whole lines, and where in the file they begin. */
export interface Piece {
  readonly block: Buffer;
  readonly offset: number;
}

/** A file that grows, is cut, or gets another name. */
export class Followed {
  path: string;
  readonly id: string;
  /** Bytes that are done with: whoever asks for the next lines is done with those before. */
  done: number;
  readonly #file: FileHandle;
  readonly #lines: LineBlocks;
  #head: Head;
  /** Bytes read. */
  #read: number;
  /** Begins behind its end: a copy that is still being made. */
  #growing: boolean;

  private constructor(path: string, id: string, file: FileHandle, head: Head, offset: number, size: number, maxLine: number) {
    this.path = path;
    this.id = id;
    this.#file = file;
    this.#head = head;
    this.done = this.#read = offset;
    this.#growing = offset > size;
    this.#lines = new LineBlocks(maxLine);
  }

  /** @param offset decides where to begin, by the file's size and its first bytes */
  static async open(path: string, maxLine: number, offset: (file: FileHandle, stats: Stats) => Promise<number>): Promise<Followed> {
    const file = await open(path);
    try {
      const stats = await file.stat();
      return new Followed(path, idOf(stats), file, await headOf(file), await offset(file, stats), stats.size, maxLine);
    } catch (thrown) {
      await file.close();
      throw thrown;
    }
  }

  get position(): Position {
    return { path: this.path, id: this.id, offset: this.done, head: this.#head };
  }

  /** Lines left out for their length since it was asked last. */
  takeLong(): number {
    const { long } = this.#lines;
    this.#lines.long = 0;
    return long;
  }

  /** What was written since, some of it; undefined if there is nothing new. Begins anew if the file was cut, once `cut` knows. */
  async next(cut: (before: Position) => void): Promise<Piece | undefined> {
    const { size } = await this.#file.stat();
    if (this.#growing && size < this.#read) return undefined;
    this.#growing = false;
    if (size === this.#read) return undefined;
    if (size < this.#read || !(await beginsLike(this.#file, this.#head))) {
      cut(this.position);
      this.#lines.clear();
      this.done = this.#read = 0;
      this.#head = await headOf(this.#file);
    } else if (this.#head.length < headLength) this.#head = await headOf(this.#file);
    const bytes = Buffer.allocUnsafe(Math.min(pieceSize, size - this.#read));
    if (bytes.length === 0) return undefined;
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, this.#read);
    this.#read += bytesRead;
    const block = this.#lines.push(bytes.subarray(0, bytesRead));
    return { block, offset: this.#read - this.#lines.waiting - block.length };
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

export function idOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}
