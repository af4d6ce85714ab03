/** Times of events, in the spellings tools have, as STIX writes them. Text is cut, never counted: no digit is lost to floating point. */
import { isTimestamp } from "@threatbus/core";
import type { Timestamp } from "stix2-ts-types";

const form = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?\s?(Z|[+-]\d\d:?\d\d)?$/i;
/** Decimals kept: what Python, which most receivers are written in, can read. */
const decimals = 6;

/**
 * RFC 3339 text with or without a zone (without one it is UTC), or seconds or milliseconds since 1970 as a number. Normalised to UTC with `Z`, at most
 * six decimals, no zeros at their end. Undefined if it is no time.
 */
export function eventTime(value: unknown): Timestamp | undefined {
  if (typeof value === "number") return ofNumber(value);
  if (typeof value !== "string" || value.length > 64) return undefined;
  const [, date, time, fraction = "", zone = "Z"] = form.exec(value.trim()) ?? [];
  if (date === undefined) return undefined;
  const seconds = `${date}T${time}`;
  const utc = zone.toUpperCase() === "Z" ? seconds : shifted(seconds, zone);
  return utc === undefined ? undefined : checked(utc, fraction);
}

/** Milliseconds since 1970 of what {@link eventTime} made. */
export function millisecondsOf(time: Timestamp): number {
  return Date.parse(time.length > 24 ? `${time.slice(0, 23)}Z` : time);
}

export function timestampOf(milliseconds: number): Timestamp {
  return new Date(milliseconds).toISOString() as Timestamp;
}

function checked(seconds: string, fraction: string): Timestamp | undefined {
  const kept = fraction.slice(0, decimals).replace(/0+$/, "");
  const text = `${seconds}${kept === "" ? "" : `.${kept}`}Z`;
  return isTimestamp(text) ? (text as Timestamp) : undefined;
}

function shifted(seconds: string, zone: string): string | undefined {
  const at = Date.parse(`${seconds}Z`);
  const hours = Number(zone.slice(1, 3)), minutes = Number(zone.slice(-2));
  if (Number.isNaN(at) || hours > 23 || minutes > 59) return undefined;
  const offset = (hours * 60 + minutes) * 60_000;
  const utc = new Date(zone.startsWith("-") ? at + offset : at - offset);
  return Number.isNaN(utc.getTime()) ? undefined : utc.toISOString().slice(0, 19);
}

/** Zeek writes seconds with a fraction, OCSF milliseconds. */
function ofNumber(value: number): Timestamp | undefined {
  if (!(value > 0 && value < 1e14)) return undefined;
  const seconds = value >= 1e11 ? value / 1_000 : value;
  const [, fraction = ""] = seconds.toFixed(decimals).split(".");
  const whole = new Date(Math.floor(seconds) * 1_000);
  return Number.isNaN(whole.getTime()) ? undefined : checked(whole.toISOString().slice(0, 19), fraction);
}
