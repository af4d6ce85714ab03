import { Buffer, isUtf8 } from "node:buffer";
import { refuse } from "./refuse.ts";

/** Bytes of one payload, whatever brought it. */
export const maxPayloadBytes: number = 16 * 1024 * 1024;
/** Objects and arrays inside one another. Deeper values parse, but break whoever walks them. */
export const maxDepth = 64;

const quote = 0x22, backslash = 0x5c, colon = 0x3a, u = 0x75;
const openBrace = 0x7b, closeBrace = 0x7d, openBracket = 0x5b, closeBracket = 0x5d;

/**
 * Parses JSON (RFC 8259) from outside. One pass over the bytes bounds the depth and counts the keys before anything is built;
 * a walk over the result counts them again, so that a key given twice cannot hide. Refuses `__proto__`, bytes that are no
 * UTF-8, and halves of surrogate pairs.
 */
export function parseJson(payload: Uint8Array): unknown {
  const bytes = viewOf(payload);
  const length = bytes.length;
  let depth = 0, deepest = 0, colons = 0, ored = 0, escapes = false;
  for (let at = 0; at < length; at++) {
    const byte = bytes[at] as number;
    ored |= byte;
    if (byte === quote) {
      for (at++; at < length; at++) {
        const inside = bytes[at] as number;
        ored |= inside;
        if (inside === quote) break;
        if (inside === backslash) {
          at++;
          if (bytes[at] === u) escapes = true;
        }
      }
    } else if (byte === colon) colons++;
    else if (byte === openBrace || byte === openBracket) {
      if (++depth > deepest) deepest = depth;
    } else if (byte === closeBrace || byte === closeBracket) depth--;
  }
  if (deepest > maxDepth) refuse("depth", `nested deeper than ${maxDepth} levels`);
  const text = textOf(bytes, ored < 0x80);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("json", "not JSON");
  }
  if (countKeys(value, 0) !== colons) refuse("keys", "an object has the same key twice");
  if (escapes) checkWellFormed(value);
  return value;
}

/** Decodes UTF-8 (RFC 3629) strictly; a byte order mark is dropped. */
export function parseText(payload: Uint8Array): string {
  return textOf(viewOf(payload), false);
}

/** Checks a value that a program made: nothing JSON cannot carry, not too deep, no `__proto__`. */
export function checkValue(value: unknown): void {
  countKeys(value, 0);
}

function viewOf(payload: Uint8Array): Buffer {
  if (payload.length > maxPayloadBytes) refuse("size", `larger than ${maxPayloadBytes} bytes`);
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

function textOf(bytes: Buffer, ascii: boolean): string {
  if (ascii) return bytes.toString("latin1");
  if (!isUtf8(bytes)) refuse("utf8", "not UTF-8");
  const marked = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  return bytes.toString("utf8", marked ? 3 : 0);
}

function countKeys(value: unknown, depth: number): number {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return 0;
  if (typeof value === "number") return Number.isFinite(value) ? 0 : refuse("value", "a number is not finite");
  if (typeof value !== "object") return refuse("value", `JSON has no ${typeof value}`);
  if (depth === maxDepth) refuse("depth", `nested deeper than ${maxDepth} levels`);
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item !== "string") count += countKeys(item, depth + 1);
    return count;
  }
  for (const key in value) {
    const item = (value as Record<string, unknown>)[key];
    if (item === undefined) continue;
    if (key === "__proto__") refuse("keys", "the key __proto__ is not allowed");
    count++;
    if (typeof item !== "string") count += countKeys(item, depth + 1);
  }
  return count;
}

function checkWellFormed(value: unknown): void {
  if (typeof value === "string") {
    if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)) refuse("utf8", "half of a surrogate pair");
  } else if (typeof value === "object" && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      checkWellFormed(key);
      checkWellFormed(item);
    }
  }
}
