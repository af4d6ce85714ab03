import type { ThreatbusError } from "../errors.ts";
import type { TokenKind } from "./lexer.ts";
import { Lexer } from "./lexer.ts";
import { keywords } from "./syntax.ts";

/** Parentheses within parentheses. */
export const maxPatternDepth = 64;

/** What a parser asks of its tokens. `depth` bounds every recursion. */
export class Reader extends Lexer {
  private depth = 0;

  accept(kind: TokenKind): boolean {
    if (this.kind !== kind) return false;
    this.next();
    return true;
  }

  acceptWord(word: string): boolean {
    if (!this.isWord(word)) return false;
    this.next();
    return true;
  }

  expect(kind: TokenKind, expected: string = kind): void {
    if (!this.accept(kind)) throw this.unexpected(expected);
  }

  expectWord(word: string): void {
    if (!this.acceptWord(word)) throw this.unexpected(word);
  }

  /** `( … )` */
  group<Content>(expected: string, content: () => Content): Content {
    if (this.kind !== "(") throw this.unexpected(expected);
    if (++this.depth > maxPatternDepth) throw this.unexpected(`at most ${maxPatternDepth} parentheses within each other`);
    this.next();
    const inner = content();
    this.expect(")");
    this.depth--;
    return inner;
  }

  unexpected(expected: string, hint?: string): ThreatbusError {
    const shouted = this.value.toUpperCase();
    const lowercase = this.kind === "word" && this.value !== shouted && keywords.has(shouted);
    return this.fail(expected, lowercase ? `Keywords are written in upper case: ${shouted}.` : hint);
  }
}
