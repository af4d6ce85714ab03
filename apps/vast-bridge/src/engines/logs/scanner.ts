import { Buffer } from "node:buffer";
import type { Contents } from "./contents.ts";
import type { Marks } from "./marks.ts";
import { direct, urlHost, urlTarget } from "./sieve.ts";
import type { Sieve } from "./sieve.ts";

const quote = 0x22, backslash = 0x5c, lineFeed = 0x0a, brace = 0x7b, space = 0x20;
const url = urlHost | urlTarget;

export interface Scanned {
  /** Where candidates begin and end in the block: two numbers each. */
  readonly candidates: readonly number[];
  /** Lines that are no JSON object by their first byte; empty ones left out. */
  readonly foreign: number;
}

/**
 * Goes through whole lines, and tells those that may hold something watched for: all that do, and few others. It looks at strings that are values,
 * wherever they stand, and knows them by what is behind them, so that a broken line spoils no other.
 */
export class Scanner {
  readonly #marks: Marks;
  readonly #contents: Contents;
  readonly #sieve: Sieve;
  readonly #buffer: Buffer;
  /** Of the block at hand. */
  #candidates: number[] = [];
  /** The last line that something was found in, and what. */
  #from = 0;
  #to = 0;
  #flags = 0;

  constructor(marks: Marks, contents: Contents, sieve: Sieve) {
    this.#marks = marks;
    this.#contents = contents;
    this.#sieve = sieve;
    this.#buffer = Buffer.from(marks.bytes.buffer, marks.bytes.byteOffset, marks.bytes.length);
  }

  /** @param block ends with a line feed, and is no longer than the marks' capacity */
  scan(block: Uint8Array): Scanned {
    const { bytes, view, words } = this.#marks;
    const contentsOf = this.#contents;
    const sieve = this.#sieve;
    const { watched } = sieve;
    const { length } = block;
    bytes.set(block);
    this.#marks.mark(length);
    this.#candidates = [];
    this.#to = 0;
    let foreign = this.#isForeign(0) ? 1 : 0;
    // The last ones before the 32 bytes at hand.
    let lastQuote = -1, lastStrange = -1;
    for (let base = 0, word = 0; base < length; base += 32, word += 4) {
      const quotes = words[word + 1] as number, strange = words[word + 2] as number;
      for (let ends = words[word] as number; ends !== 0; ends &= ends - 1) {
        const bit = lowest(ends);
        const end = base + bit;
        const below = (1 << bit) - 1;
        let open = (quotes & below) === 0 ? lastQuote : base + highest(quotes & below);
        let contents = contentsOf.of(view, open) & watched;
        if (contents === 0 || (bytes[end - 1] === backslash && this.#escaped(end))) continue;
        if (bytes[open - 1] === backslash) {
          open = this.#opening(open);
          contents = contentsOf.of(view, open) & watched;
        }
        const before = (strange & below) === 0 ? lastStrange : base + highest(strange & below);
        const flags = before > open ? sieve.strange(this.#buffer.subarray(open + 1, end), contents) : sieve.plain(bytes, view, open + 1, end, contents);
        if (flags !== 0) this.#found(end, flags);
      }
      if (quotes !== 0) lastQuote = base + highest(quotes);
      if (strange !== 0) lastStrange = base + highest(strange);
      for (let feeds = words[word + 3] as number; feeds !== 0; feeds &= feeds - 1) if (this.#isForeign(base + lowest(feeds) + 1)) foreign++;
    }
    return { candidates: this.#candidates, foreign };
  }

  /** Something that may be watched for, in the line around. */
  #found(at: number, flags: number): void {
    if (at >= this.#to) {
      this.#from = this.#buffer.lastIndexOf(lineFeed, at) + 1;
      this.#to = this.#buffer.indexOf(lineFeed, at);
      this.#flags = 0;
    }
    const before = this.#flags;
    this.#flags |= flags;
    if (isEnough(this.#flags) && !isEnough(before) && !this.#isForeign(this.#from)) this.#candidates.push(this.#from, this.#to);
  }

  /** Whether an odd number of backslashes stands before the quote. */
  #escaped(at: number): boolean {
    const { bytes } = this.#marks;
    let before = at - 1;
    while (bytes[before] === backslash) before--;
    return (at - before) % 2 === 0;
  }

  /** The first quote from `at` backwards that is not escaped; -1 if there is none. */
  #opening(at: number): number {
    let open = at;
    while (open >= 0 && this.#escaped(open)) open = open === 0 ? -1 : this.#buffer.lastIndexOf(quote, open - 1);
    return open;
  }

  /** Whether the line that begins there has something in it, and is no object. */
  #isForeign(from: number): boolean {
    const { bytes } = this.#marks;
    let start = from;
    while ((bytes[start] as number) <= space && bytes[start] !== lineFeed && bytes[start] !== 0) start++;
    return (bytes[start] as number) > space && bytes[start] !== brace;
  }
}

function isEnough(flags: number): boolean {
  return (flags & direct) !== 0 || (flags & url) === url;
}

function lowest(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function highest(bits: number): number {
  return 31 - Math.clz32(bits);
}
