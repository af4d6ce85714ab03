import { Buffer, isUtf8 } from "node:buffer";
import { refuse } from "./refusal.ts";
import type { Text } from "./value.ts";

/** Numbers stay as they are written, so that none of their 64 bits is lost. */
export type Json = null | boolean | Text | NumberText | readonly Json[] | ReadonlyMap<string, Json>;

export class NumberText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Objects and arrays within one another: a value nested in Zeek takes two. */
const maxDepth = 80;
/** Of one text. */
const maxItems = 1_048_576;

const quote = 0x22, backslash = 0x5c, comma = 0x2c, colon = 0x3a, openBracket = 0x5b, closeBracket = 0x5d, openBrace = 0x7b, closeBrace = 0x7d;
/** What the letter behind a backslash stands for. */
const escapes: ReadonlyMap<number, number> = new Map([
  [quote, quote], [backslash, backslash], [0x2f, 0x2f], [0x62, 0x08], [0x66, 0x0c], [0x6e, 0x0a], [0x72, 0x0d], [0x74, 0x09], [0x76, 0x0b],
]);
const word = /^(?:true|false|null|nan|-?inf|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)$/;

/**
 * JSON as Zeek writes it, which is wider than RFC 8259 (seen on 8.2.0): control characters and bytes that are no UTF-8 stand raw in strings, vertical
 * tabs are written `\v`, and `inf`, `-inf` and `nan` are bare words.
 * @throws WireRefused
 */
export function parseZeekJson(bytes: Buffer): Json {
  return new Parser(bytes).whole();
}

class Parser {
  readonly #bytes: Buffer;
  /** Where strings with escapes are put together, one after the other. */
  #text: Buffer | undefined;
  #at = 0;
  #items = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  whole(): Json {
    const json = this.#value(0);
    if (this.#next() !== undefined) refuse("something follows the JSON text");
    return json;
  }

  /** The next byte that is no blank. */
  #next(): number | undefined {
    for (;; this.#at++) {
      const byte = this.#bytes[this.#at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte;
    }
  }

  #value(depth: number): Json {
    if (depth > maxDepth) refuse(`JSON nested deeper than ${maxDepth}`);
    if (++this.#items > maxItems) refuse(`more than ${maxItems} JSON values`);
    switch (this.#next()) {
      case quote:
        return this.#string();
      case openBracket:
        return this.#array(depth);
      case openBrace:
        return this.#object(depth);
      default:
        return this.#word();
    }
  }

  #array(depth: number): Json[] {
    const items: Json[] = [];
    this.#at++;
    if (this.#accept(closeBracket)) return items;
    do items.push(this.#value(depth + 1));
    while (this.#accept(comma));
    this.#expect(closeBracket);
    return items;
  }

  #object(depth: number): Map<string, Json> {
    const members = new Map<string, Json>();
    this.#at++;
    if (this.#accept(closeBrace)) return members;
    do {
      if (this.#next() !== quote) refuse("a key is no string");
      const key = this.#string();
      if (typeof key !== "string" || members.has(key)) refuse("a key is not UTF-8, or there twice");
      this.#expect(colon);
      members.set(key, this.#value(depth + 1));
    } while (this.#accept(comma));
    this.#expect(closeBrace);
    return members;
  }

  #word(): Json {
    const start = this.#at;
    for (let byte = this.#bytes[this.#at]; byte !== undefined && isWordPart(byte); byte = this.#bytes[this.#at]) this.#at++;
    const text = this.#bytes.toString("latin1", start, this.#at);
    if (text.length > 400 || !word.test(text)) refuse("not JSON");
    if (text === "true" || text === "false") return text === "true";
    return text === "null" ? null : new NumberText(text);
  }

  #string(): Text {
    let from = ++this.#at, length = 0;
    for (;;) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) refuse("a string does not end");
      if (byte === quote) break;
      this.#at++;
      if (byte !== backslash) continue;
      // An escape is longer than what it stands for: the text fits where the message did.
      this.#text ??= Buffer.allocUnsafe(this.#bytes.length);
      if (from < this.#at - 1) length += this.#bytes.copy(this.#text, length, from, this.#at - 1);
      const code = this.#escape();
      if (code < 0x80) this.#text[length++] = code;
      else length += this.#text.write(String.fromCodePoint(code), length);
      from = this.#at;
    }
    const end = this.#at++;
    let bytes = this.#bytes.subarray(from, end);
    if (length > 0 && this.#text !== undefined) bytes = this.#text.subarray(0, length + this.#bytes.copy(this.#text, length, from, end));
    const text = bytes.toString();
    return text.includes("\ufffd") && !isUtf8(bytes) ? Uint8Array.from(bytes) : text;
  }

  /** The code point. */
  #escape(): number {
    const letter = this.#bytes[this.#at++] ?? 0;
    if (letter !== 0x75) return escapes.get(letter) ?? refuse("an unknown escape");
    const first = this.#unit();
    if (first < 0xd800 || first > 0xdfff) return first;
    if (first > 0xdbff || this.#bytes[this.#at] !== backslash || this.#bytes[this.#at + 1] !== 0x75) refuse("half of a surrogate pair");
    this.#at += 2;
    const second = this.#unit();
    if (second < 0xdc00 || second > 0xdfff) refuse("half of a surrogate pair");
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
  }

  #unit(): number {
    const digits = this.#bytes.toString("latin1", this.#at, this.#at + 4);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) refuse("an unknown escape");
    this.#at += 4;
    return Number.parseInt(digits, 16);
  }

  #accept(byte: number): boolean {
    if (this.#next() !== byte) return false;
    this.#at++;
    return true;
  }

  #expect(byte: number): void {
    if (!this.#accept(byte)) refuse("not JSON");
  }
}

/** Letters, digits, and the signs of numbers. */
function isWordPart(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x45 || byte === 0x2b || byte === 0x2d || byte === 0x2e;
}
