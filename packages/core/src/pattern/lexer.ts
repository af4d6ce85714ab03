import type { ThreatbusError } from "../errors.ts";
import { patternError, printable } from "./failure.ts";

/** Punctuation and operators are their own kind (`==` is `=`, `<>` is `!=`); a word is a keyword, an object type or a key. */
export type TokenKind =
  | "end" | "word" | "string" | "integer" | "float" | "hex" | "binary" | "timestamp"
  | "[" | "]" | "(" | ")" | ":" | "." | "," | "*"
  | "=" | "!=" | "<" | "<=" | ">" | ">=";

const singles: ReadonlyMap<string, TokenKind> = new Map(
  (["[", "]", "(", ")", ":", ".", ",", "*", "=", "<", ">"] as const).map((char) => [char, char]),
);
const doubles: ReadonlyMap<string, TokenKind> = new Map([["==", "="], ["!=", "!="], ["<>", "!="], ["<=", "<="], [">=", ">="]]);

const whitespace = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const hexDigits = /^(?:[0-9A-Fa-f]{2})*$/;
const base64 = /^[0-9A-Za-z+/]+={0,2}$/;
const timestamp = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?Z$/;

export function isTimestamp(text: string): boolean {
  return timestamp.test(text);
}

function isHex(text: string): boolean {
  return hexDigits.test(text);
}

function isBase64(text: string): boolean {
  return text.length % 4 === 0 && base64.test(text);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}

/** One token at a time, each character looked at once: the time is linear in the text's length. */
export class Lexer {
  readonly text: string;
  kind: TokenKind = "end";
  /** The word, the digits, or a literal's content without quotes and escapes; empty for operators and punctuation. */
  value = "";
  start = 0;
  end = 0;
  /** Where the token before this one ended. */
  previousEnd = 0;

  constructor(text: string) {
    this.text = text;
    this.next();
  }

  /** @throws ThreatbusError `PATTERN_INVALID` if no token can stand here */
  next(): void {
    this.previousEnd = this.end;
    this.start = this.skipBlanks(this.end);
    this.value = "";
    const code = this.text.charCodeAt(this.start);
    if (Number.isNaN(code)) this.take("end", this.start);
    else if (isLetter(code)) this.word();
    else if (code === 0x27) this.string(this.start);
    else if (isDigit(code) || code === 0x2b || code === 0x2d) this.number();
    else if (code === 0x2e && isDigit(this.text.charCodeAt(this.start + 1))) this.number();
    else this.symbol();
  }

  isWord(word: string): boolean {
    return this.kind === "word" && this.value === word;
  }

  /** The current token as an error shows it. */
  found(): string {
    return this.start >= this.text.length ? "the end" : printable(this.text.slice(this.start, Math.min(this.end, this.start + 80)));
  }

  fail(expected: string, hint?: string): ThreatbusError {
    return patternError(this.text, this.start, expected, this.found(), hint);
  }

  private take(kind: TokenKind, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  /** Skips whitespace, block comments and line comments. */
  private skipBlanks(from: number): number {
    const { text } = this;
    let at = from;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === 0x2f) {
        const second = text.charCodeAt(at + 1);
        if (second === 0x2a) {
          const close = text.indexOf("*/", at + 2);
          if (close < 0) throw patternError(text, at, "the */ that ends this comment", "the end");
          at = close + 2;
        } else if (second === 0x2f) {
          while (at < text.length && text.charCodeAt(at) !== 0x0a && text.charCodeAt(at) !== 0x0d) at++;
        } else return at;
      } else if (code === 0x20 || ((code < 0x20 || code > 0x7e) && whitespace.test(text.charAt(at)))) at++;
      else return at;
    }
    return at;
  }

  private word(): void {
    const { text, start } = this;
    let end = start + 1;
    for (let code = text.charCodeAt(end); isLetter(code) || isDigit(code) || code === 0x2d; code = text.charCodeAt(end)) end++;
    this.value = text.slice(start, end);
    if (text.charCodeAt(end) === 0x27 && end === start + 1) {
      if (this.value === "t") return this.quoted("timestamp", "a time such as t'2024-01-31T12:00:00Z'", isTimestamp);
      if (this.value === "h") return this.quoted("hex", "pairs of hexadecimal digits such as h'ffd8'", isHex);
      if (this.value === "b") return this.quoted("binary", "Base64 text such as b'aGk='", isBase64);
    }
    this.take("word", end);
  }

  private quoted(kind: TokenKind, expected: string, valid: (content: string) => boolean): void {
    const close = this.text.indexOf("'", this.start + 2);
    this.take(kind, close < 0 ? this.text.length : close + 1);
    this.value = close < 0 ? "" : this.text.slice(this.start + 2, close);
    if (close < 0 || !valid(this.value)) throw this.fail(expected);
  }

  private string(open: number): void {
    const { text } = this;
    let content = "";
    let from = open + 1;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 0x27) {
        this.value = content + text.slice(from, at);
        return this.take("string", at + 1);
      }
      if (code !== 0x5c) continue;
      const escaped = text.charCodeAt(at + 1);
      if (escaped !== 0x27 && escaped !== 0x5c) {
        const found = at + 1 < text.length ? printable(String.fromCodePoint(0x5c, text.codePointAt(at + 1) ?? 0)) : "the end";
        throw patternError(text, at, "\\\\ or \\'", found, "In a string a backslash is written \\\\ and a quote \\'.");
      }
      content += text.slice(from, at);
      from = at + 1;
      at++;
    }
    throw patternError(text, open, "the ' that ends this string", "the end");
  }

  private number(): void {
    const { text, start } = this;
    const code = text.charCodeAt(start);
    const signed = code === 0x2b || code === 0x2d;
    const first = signed ? start + 1 : start;
    let end = this.digits(first);
    let kind: TokenKind = "integer";
    if (text.charCodeAt(end) === 0x2e && isDigit(text.charCodeAt(end + 1))) {
      kind = "float";
      end = this.digits(end + 1);
    } else if (end - first > 1 && text.charCodeAt(first) === 0x30) {
      this.end = end;
      throw this.fail("a number without leading zeros");
    }
    this.take(kind, Math.max(end, start + 1));
    if (end === first) throw this.fail("a number after the sign");
    this.value = text.slice(code === 0x2b ? first : start, end);
  }

  private digits(from: number): number {
    let end = from;
    while (isDigit(this.text.charCodeAt(end))) end++;
    return end;
  }

  private symbol(): void {
    const { text, start } = this;
    const double = doubles.get(text.slice(start, start + 2));
    if (double !== undefined) return this.take(double, start + 2);
    const single = singles.get(text.charAt(start));
    this.end = start + ((text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1);
    if (single === undefined) throw this.fail("a part of a pattern");
    this.kind = single;
  }
}
