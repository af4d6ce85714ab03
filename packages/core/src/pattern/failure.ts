import { ThreatbusError } from "../errors.ts";

/** Widest excerpt, in characters, without its indent. */
const excerptWidth = 80;
const ellipsis = "…";

// Controls, formatting characters (bidirectional marks among them), line and paragraph separators, lone surrogates.
const unsafe: RegExp = /^[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]$/u;

/**
 * An error that points: line and column from 1 (columns in UTF-16 units), what was expected, what was found, and the place
 * with a caret below it.
 */
export function patternError(text: string, at: number, expected: string, found: string, hint?: string): ThreatbusError {
  const lineStart = startOfLine(text, at);
  const place = `${countLines(text, lineStart)}:${at - lineStart + 1}`;
  const { line, caret } = excerpt(text, lineStart, at);
  const message = `${place}: expected ${expected}, found ${found}\n  ${line}\n  ${" ".repeat(caret)}^`;
  return new ThreatbusError("PATTERN_INVALID", message, hint === undefined ? {} : { hint });
}

/** Text from outside, made safe to print and cut to `width` characters. */
export function printable(text: string, width = 40): string {
  let shown = "";
  for (const char of text) {
    const piece = visible(char);
    if (shown.length + piece.length > width) return shown + ellipsis;
    shown += piece;
  }
  return shown;
}

/** As much of the line as fits around the place, and the caret's column in it. */
function excerpt(text: string, lineStart: number, at: number): { line: string; caret: number } {
  const lineEnd = endOfLine(text, at);
  const after = take(Array.from(text.slice(at, Math.min(lineEnd, at + excerptWidth))), excerptWidth / 2);
  const room = excerptWidth - after.width - 2 * ellipsis.length;
  const before = take(Array.from(text.slice(Math.max(lineStart, at - excerptWidth), at)).reverse(), room);
  const lead = before.pieces.reverse().join("");
  const head = before.used < at - lineStart ? ellipsis : "";
  const tail = after.used < lineEnd - at ? ellipsis : "";
  return { line: head + lead + after.pieces.join("") + tail, caret: head.length + lead.length };
}

/** The first characters that fit `room` when shown, and how many UTF-16 units of the text they are. */
function take(chars: readonly string[], room: number): { pieces: string[]; width: number; used: number } {
  const pieces: string[] = [];
  let width = 0;
  let used = 0;
  for (const char of chars) {
    const piece = visible(char);
    if (width + piece.length > room) break;
    pieces.push(piece);
    width += piece.length;
    used += char.length;
  }
  return { pieces, width, used };
}

function visible(char: string): string {
  return unsafe.test(char) ? `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}` : char;
}

function isLineEnd(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

function startOfLine(text: string, at: number): number {
  let start = at;
  while (start > 0 && !isLineEnd(text.charCodeAt(start - 1))) start--;
  return start;
}

function endOfLine(text: string, at: number): number {
  let end = at;
  while (end < text.length && !isLineEnd(text.charCodeAt(end))) end++;
  return end;
}

/** `\n`, `\r` and `\r\n` end a line. */
function countLines(text: string, until: number): number {
  let lines = 1;
  for (let at = 0; at < until; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a || (code === 0x0d && text.charCodeAt(at + 1) !== 0x0a)) lines++;
  }
  return lines;
}
