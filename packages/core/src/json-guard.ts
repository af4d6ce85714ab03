import { Buffer, isUtf8 } from "node:buffer";
import { mayBeMisread, parseEscapedKeys } from "./escaped-keys.ts";
import { refuse } from "./refuse.ts";

/** Bytes of one payload, whatever brought it. */
export const maxPayloadBytes: number = 16 * 1024 * 1024;
/** Objects and arrays inside one another. Deeper values parse, but break whoever walks them. */
export const maxDepth = 64;

const quote = 0x22, backslash = 0x5c, colon = 0x3a, u = 0x75;

/**
 * Parses JSON (RFC 8259) from outside. Refuses values nested too deep, a key given twice, `__proto__`, bytes that are no UTF-8 and
 * halves of surrogate pairs.
 *
 * A key given twice leaves no trace in the parsed value but its room in the text. So the value is measured as the shortest JSON that
 * could have made it: if the text is just as long, but for the backslashes in it, nothing is hidden. Only otherwise (blanks, numbers, `\u`) is
 * the text itself gone through, counting its keys.
 * @param payload bytes, or text that {@link parseText} made of them
 */
export function parseJson(payload: Uint8Array | string): unknown {
  const text = typeof payload === "string" ? payload : parseText(payload);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse("json", "not JSON");
  }
  let size = measure(value);
  if (text.includes("\\") && mayBeMisread(value)) size = measure((value = parseEscapedKeys(text)));
  const { keys, shortest } = size;
  if (shortest !== text.length && shortest !== text.length - shortEscapes(text)) checkHidden(text, keys, value);
  return value;
}

/** How many characters are written as two. 0 if one is written as six, which may be half of a surrogate pair. */
function shortEscapes(text: string): number {
  let escapes = 0;
  for (let at = text.indexOf("\\"); at >= 0; at = text.indexOf("\\", at + 2)) {
    if (text.charCodeAt(at + 1) === u) return 0;
    escapes++;
  }
  return escapes;
}

/** Goes through the text for what the value does not show. */
function checkHidden(text: string, keys: number, value: unknown): void {
  const { length } = text;
  let colons = 0, escapes = false;
  for (let at = 0; at < length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === colon) colons++;
    else if (unit === quote) {
      for (at++; at < length && text.charCodeAt(at) !== quote; at++) {
        if (text.charCodeAt(at) === backslash && text.charCodeAt(++at) === u) escapes = true;
      }
    }
  }
  if (colons !== keys) refuse("keys", "an object has the same key twice");
  if (escapes) checkWellFormed(value);
}

/** Decodes UTF-8 (RFC 3629) strictly; a byte order mark is dropped. */
export function parseText(payload: Uint8Array): string {
  const bytes = viewOf(payload);
  const text = bytes.toString();
  // Bytes that are no UTF-8 decode to U+FFFD.
  if (text.includes("\ufffd") && !isUtf8(bytes)) refuse("utf8", "not UTF-8");
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

/** Checks a value that a program made: nothing JSON cannot carry, not too large, not too deep, no `__proto__`. Returns its {@link sizeOf size}. */
export function checkValue(value: unknown): number {
  const size = sizeOf(value);
  if (size > maxPayloadBytes) refuse("size", `larger than ${maxPayloadBytes} bytes`);
  return size;
}

/** About how many bytes of JSON a value takes: characters of the shortest text. */
export function sizeOf(value: unknown): number {
  return measure(value).shortest;
}

function viewOf(payload: Uint8Array): Buffer {
  if (payload.length > maxPayloadBytes) refuse("size", `larger than ${maxPayloadBytes} bytes`);
  return Buffer.isBuffer(payload) ? payload : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
}

interface Size {
  /** Members of all objects. */
  keys: number;
  /** Characters of the shortest JSON text; of a number not more than that. */
  shortest: number;
}

function measure(value: unknown): Size {
  const size = { keys: 0, shortest: 0 };
  walk(value, 0, size);
  return size;
}

function walk(value: unknown, depth: number, size: Size): void {
  if (typeof value === "string") size.shortest += value.length + 2;
  else if (typeof value === "boolean") size.shortest += value ? 4 : 5;
  else if (value === null) size.shortest += 4;
  else if (typeof value === "number") {
    if (!Number.isFinite(value)) refuse("value", "a number is not finite");
    size.shortest += value >= 100 && value < 1000 ? 3 : value >= 10 && value < 100 ? 2 : 1;
  } else if (typeof value !== "object") refuse("value", `JSON has no ${typeof value}`);
  else if (depth === maxDepth) refuse("depth", `nested deeper than ${maxDepth} levels`);
  else if (Array.isArray(value)) {
    size.shortest += value.length === 0 ? 2 : value.length + 1;
    for (const item of value) walk(item, depth + 1, size);
  } else walkObject(value as Readonly<Record<string, unknown>>, depth, size);
}

function walkObject(value: Readonly<Record<string, unknown>>, depth: number, size: Size): void {
  let members = 0;
  for (const key in value) {
    const item = value[key];
    if (item === undefined) continue;
    if (key === "__proto__") refuse("keys", "the key __proto__ is not allowed");
    members++;
    size.shortest += key.length + 3;
    if (typeof item === "string") size.shortest += item.length + 2;
    else walk(item, depth + 1, size);
  }
  size.keys += members;
  size.shortest += members === 0 ? 2 : members + 1;
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
