import { Buffer } from "node:buffer";

const lineFeed = 0x0a;
const empty = Buffer.alloc(0);

/** Makes blocks of whole lines from pieces of a file. Lines longer than the limit are left out and counted. */
export class LineBlocks {
  readonly #maxLine: number;
  #rest: Buffer = empty;
  /** Inside a line that is too long. */
  #skipping = false;
  /** Lines left out. */
  long = 0;

  constructor(maxLine: number) {
    this.#maxLine = maxLine;
  }

  /** Bytes of a line that is not whole yet. */
  get waiting(): number {
    return this.#rest.length;
  }

  /** The lines that are whole now, the last one with its line feed; empty if there is none. */
  push(piece: Buffer): Buffer {
    let start = 0;
    if (this.#skipping) {
      start = piece.indexOf(lineFeed) + 1;
      if (start === 0) return empty;
      this.#skipping = false;
    }
    const end = piece.lastIndexOf(lineFeed) + 1;
    const whole = end <= start ? empty : this.#rest.length === 0 ? piece.subarray(start, end) : Buffer.concat([this.#rest, piece.subarray(start, end)]);
    this.#rest = end <= start ? Buffer.concat([this.#rest, piece.subarray(start)]) : Buffer.from(piece.subarray(end));
    if (this.#rest.length > this.#maxLine) {
      this.long++;
      this.#rest = empty;
      this.#skipping = true;
    }
    return whole;
  }

  /** The last line, if there was no line feed behind it. */
  end(): Buffer {
    const last = this.#rest.length === 0 ? empty : Buffer.concat([this.#rest, Buffer.from("\n")]);
    this.#rest = empty;
    return last;
  }

  /** Forgets what is not whole. */
  clear(): void {
    this.#rest = empty;
    this.#skipping = false;
  }
}
