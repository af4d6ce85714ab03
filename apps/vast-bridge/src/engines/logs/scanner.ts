import { Buffer } from "node:buffer";
import type { Marks } from "./marks.ts";
import { direct, urlHost, urlTarget } from "./sieve.ts";
import type { Sieve } from "./sieve.ts";

const backslash = 0x5c, lineFeed = 0x0a, brace = 0x7b, space = 0x20;
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
  readonly #sieve: Sieve;
  readonly #buffer: Buffer;

  constructor(marks: Marks, sieve: Sieve) {
    this.#marks = marks;
    this.#sieve = sieve;
    this.#buffer = Buffer.from(marks.bytes.buffer, marks.bytes.byteOffset, marks.bytes.length);
  }

  /** @param block ends with a line feed, and is no longer than the marks' capacity */
  scan(block: Uint8Array): Scanned {
    const { bytes, view, words } = this.#marks;
    const sieve = this.#sieve;
    const candidates: number[] = [];
    bytes.set(block);
    this.#marks.mark(block.length);
    let foreign = 0, lineStart = 0, flags = 0;
    // The last ones before the 32 bytes at hand.
    let lastQuote = -1, lastStrange = -1, lastSpecial = -1;
    for (let base = 0, word = 0; base < block.length; base += 32, word += 4) {
      const quotes = words[word + 1] as number, strange = words[word + 2] as number, special = words[word + 3] as number;
      for (let ends = words[word] as number; ends !== 0; ends &= ends - 1) {
        const bit = 31 - Math.clz32(ends & -ends);
        const end = base + bit;
        if (bytes[end] === lineFeed) {
          if ((flags & direct) !== 0 || (flags & url) === url) candidates.push(lineStart, end);
          else if (bytes[lineStart] !== brace && this.#isForeign(lineStart, end)) foreign++;
          lineStart = end + 1;
          flags = 0;
          continue;
        }
        if ((flags & direct) !== 0) continue;
        const below = (1 << bit) - 1;
        let open = (quotes & below) === 0 ? lastQuote : base + 31 - Math.clz32(quotes & below);
        if (bytes[end - 1] === backslash && this.#escaped(end)) continue;
        if (bytes[open - 1] === backslash) open = this.#opening(open, lineStart);
        if (open < lineStart) continue;
        const strangeBelow = (strange & below) === 0 ? lastStrange : base + 31 - Math.clz32(strange & below);
        if (strangeBelow > open) flags |= sieve.strange(this.#buffer.subarray(open + 1, end));
        else flags |= sieve.plain(bytes, view, open + 1, end, ((special & below) === 0 ? lastSpecial : base + 31 - Math.clz32(special & below)) > open);
      }
      if (quotes !== 0) lastQuote = base + 31 - Math.clz32(quotes);
      if (strange !== 0) lastStrange = base + 31 - Math.clz32(strange);
      if (special !== 0) lastSpecial = base + 31 - Math.clz32(special);
    }
    return { candidates, foreign };
  }

  /** Whether an odd number of backslashes stands before the quote. */
  #escaped(at: number): boolean {
    const { bytes } = this.#marks;
    let before = at - 1;
    while (bytes[before] === backslash) before--;
    return (at - before) % 2 === 0;
  }

  /** The first quote from `at` backwards that is not escaped; -1 if there is none in the line. */
  #opening(at: number, lineStart: number): number {
    let open = at;
    while (open >= lineStart && this.#escaped(open)) open = this.#marks.bytes.lastIndexOf(0x22, open - 1);
    return open;
  }

  #isForeign(from: number, to: number): boolean {
    const { bytes } = this.#marks;
    let start = from;
    while (start < to && (bytes[start] as number) <= space) start++;
    return start < to && bytes[start] !== brace;
  }
}
