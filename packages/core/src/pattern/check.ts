import { keywords } from "./syntax.ts";
import { maxPatternLength, parsePattern } from "./parser.ts";

/**
 * As {@link parsePattern}, without a tree: made for every indicator of a stream. The plain form `[type:key.'key' = 'value']`
 * without escapes is recognised at a glance, everything else is parsed.
 * @throws ThreatbusError `PATTERN_INVALID`
 */
export function checkPattern(text: string): void {
  if (!isPlain(text)) parsePattern(text);
}

const letter = 1;
const digit = 2;
const hyphen = 4;

/** Character classes of ASCII. */
const classes: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return /[A-Za-z_]/.test(char) ? letter : /[0-9]/.test(char) ? digit : char === "-" ? hyphen : 0;
});

function isPlain(text: string): boolean {
  const last = text.length - 1;
  if (last >= maxPatternLength || text.charCodeAt(0) !== 0x5b || text.charCodeAt(last) !== 0x5d) return false;
  let at = identifier(text, 1, letter | digit | hyphen);
  if (at < 0 || text.charCodeAt(at) !== 0x3a) return false;
  do {
    at = text.charCodeAt(at + 1) === 0x27 ? quoted(text, at + 1) : identifier(text, at + 1, letter | digit);
    if (at < 0) return false;
  } while (text.charCodeAt(at) === 0x2e);
  if (text.charCodeAt(at) === 0x20) at++;
  if (text.charCodeAt(at) !== 0x3d) return false;
  at++;
  if (text.charCodeAt(at) === 0x20) at++;
  return text.charCodeAt(at) === 0x27 && quoted(text, at) === last;
}

/** Where an object type or plain key ends, -1 if there is none. */
function identifier(text: string, start: number, allowed: number): number {
  const first = text.charCodeAt(start);
  if (classes[first] !== letter) return -1;
  let end = start + 1;
  while (((classes[text.charCodeAt(end)] ?? 0) & allowed) !== 0) end++;
  return mayBeKeyword(first) && keywords.has(text.slice(start, end)) ? -1 : end;
}

/** Keywords begin with a capital, save `true` and `false`. */
function mayBeKeyword(first: number): boolean {
  return first < 0x5b || first === 0x74 || first === 0x66;
}

/** Where a string without escapes ends, -1 if it has one or does not end. */
function quoted(text: string, open: number): number {
  for (let at = open + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x27) return at + 1;
    if (code === 0x5c) return -1;
  }
  return -1;
}
