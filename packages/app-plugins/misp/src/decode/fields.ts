/** Reads single fields in every form MISP 2.4 and 2.5 are known to write. */

/** A JSON object. The names read from it are on no prototype, and core's parser refuses `__proto__`. */
export type Fields = Readonly<Record<string, unknown>>;

/** 9999-12-31T23:59:59Z in seconds, the last time RFC 3339 can write. */
const lastSecond = 253_402_300_799;
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** One thing with named fields, not the object PHP makes of a list with gaps. Numeric keys come first in any object. */
export function isRow(value: unknown): value is Fields {
  if (!isFields(value)) return false;
  for (const name in value) return !/^\d+$/.test(name);
  return true;
}

/** Text of a string or number; empty for anything else. */
export function words(value: unknown): string {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : "";
}

/** Lower case; empty if it is none. */
export function uuid(value: unknown): string {
  if (typeof value !== "string") return "";
  if (uuidForm.test(value)) return value;
  const lower = value.toLowerCase();
  return uuidForm.test(lower) ? lower : "";
}

/** `true`, `1`, `"1"` and their opposites. Undefined for anything else. */
export function truth(value: unknown): boolean | undefined {
  if (value === true || value === 1 || value === "1" || value === "true") return true;
  return value === false || value === 0 || value === "0" || value === "false" ? false : undefined;
}

/** Seconds since 1970-01-01 UTC, as a number or its digits. */
export function seconds(value: unknown): number | undefined {
  const number = typeof value === "string" && value.length < 13 && /^\d+$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 && number <= lastSecond ? number : undefined;
}

/** Entries of a list, or of the object PHP makes of a list with gaps. Undefined if it is neither. */
export function items(value: unknown): readonly unknown[] | undefined {
  if (Array.isArray(value)) return value as readonly unknown[];
  return isFields(value) ? Object.values(value) : undefined;
}
