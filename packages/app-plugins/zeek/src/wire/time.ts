import { maxInt64, minInt64 } from "./value.ts";

/** Between UTC and the clock on the wall of some place; both in milliseconds. Where the clock is turned back, the first of two times is meant. */
export interface Zone {
  toLocal(utc: number): number;
  toUtc(local: number): number;
}

export const utc: Zone = { toLocal: (time) => time, toUtc: (time) => time };

const day = 86_400_000;

/** @param name as the IANA database has it, e.g. `Europe/Berlin` @throws RangeError if there is no such zone */
export function zoneOf(name: string): Zone {
  if (/^(?:etc\/)?utc$/i.test(name)) return utc;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: name, calendar: "iso8601", numberingSystem: "latn", hourCycle: "h23", era: "short",
    year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric",
  });
  const toLocal = (time: number): number => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type));
    const year = parts.get("era")?.startsWith("B") === true ? 1 - part("year") : part("year");
    const date = new Date(0);
    date.setUTCFullYear(year, part("month") - 1, part("day"));
    date.setUTCHours(part("hour"), part("minute"), part("second"));
    return date.getTime() + (((time % 1000) + 1000) % 1000);
  };
  const offset = (time: number): number => toLocal(time) - time;
  return {
    toLocal,
    toUtc(local) {
      const early = local - offset(local - day), late = local - offset(local + day);
      return toLocal(early) === local ? early : late;
    },
  };
}

const timeForm = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):?(\d\d))?$/;

/** Nanoseconds since 1970-01-01 UTC. A text that names no zone is meant in `zone`. Undefined for what is no time, or beyond 64 bits. */
export function parseTime(text: string, zone: Zone = utc): bigint | undefined {
  const match = timeForm.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, date = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (month < 1 || month > 12 || date < 1 || hour > 23 || minute > 59 || second > 60) return undefined;
  const at = new Date(0);
  at.setUTCFullYear(year, month - 1, date);
  if (at.getUTCDate() !== date) return undefined;
  at.setUTCHours(hour, minute, second);
  const written = at.getTime();
  const [, , , , , , , fraction = "", sign, hours, minutes] = match;
  let time: number;
  if (sign !== undefined) time = written - (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  else time = text.endsWith("Z") ? written : zone.toUtc(written);
  const nanoseconds = BigInt(time) * 1_000_000n + BigInt(fraction.padEnd(9, "0"));
  return nanoseconds < minInt64 || nanoseconds > maxInt64 ? undefined : nanoseconds;
}

/** `YYYY-MM-DDThh:mm:ss` with so many decimals, in that zone and without naming it. */
export function printTime(nanoseconds: bigint, decimals: 3 | 9 = 3, zone: Zone = utc): string {
  const millisecond = floorDiv(nanoseconds, 1_000_000n);
  const text = new Date(zone.toLocal(Number(millisecond))).toISOString().slice(0, -1);
  return decimals === 3 ? text : text + String(nanoseconds - millisecond * 1_000_000n).padStart(6, "0");
}

/** Nanoseconds of a time that the bus has checked: RFC 3339 in UTC, with `Z`. */
export function stixNanoseconds(text: string): bigint {
  const millisecond = Date.parse(text.length > 24 ? `${text.slice(0, 23)}Z` : text);
  // A leap second has no place on the clock.
  if (Number.isNaN(millisecond)) return parseTime(text) ?? 0n;
  // "For ever" is the year 9999: more nanoseconds than 64 bits hold, and none of Zeek's business.
  const nanoseconds = BigInt(millisecond) * 1_000_000n;
  return text.length > 24 ? nanoseconds + BigInt(text.slice(23, 29).replace("Z", "").padEnd(6, "0")) : nanoseconds;
}

/** As STIX writes it: with `Z`, and the decimals there are, three at least. */
export function stixTime(nanoseconds: bigint): string {
  return `${printTime(nanoseconds, 9).replace(/0{1,6}$/, "")}Z`;
}

function floorDiv(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** In nanoseconds, longest first. */
const units = [["s", 1_000_000_000n], ["ms", 1_000_000n], ["us", 1_000n], ["ns", 1n]] as const;
const read = new Map<string, bigint>([...units, ["min", 60_000_000_000n], ["h", 3_600_000_000_000n], ["d", 86_400_000_000_000n]]);

/** A whole number of the longest unit that leaves no rest: `1500ms`. */
export function printSpan(nanoseconds: bigint): string {
  const [unit, length] = units.find(([, each]) => nanoseconds % each === 0n) ?? ["ns", 1n];
  return `${nanoseconds / length}${unit}`;
}

/** Nanoseconds of `1500ms`, `1.5h`, `-2592000s`. Undefined for what is no span, or beyond 64 bits. */
export function parseSpan(text: string): bigint | undefined {
  const match = /^([+-]?)(\d{1,20})(?:\.(\d{1,20}))?([a-z]{1,3})$/.exec(text);
  const unit = read.get(match?.[4] ?? "");
  if (match === null || unit === undefined) return undefined;
  const [, sign, whole = "0", fraction = ""] = match;
  const size = BigInt(whole) * unit + (BigInt(fraction === "" ? 0 : fraction) * unit) / 10n ** BigInt(fraction.length);
  const nanoseconds = sign === "-" ? -size : size;
  return nanoseconds < minInt64 || nanoseconds > maxInt64 ? undefined : nanoseconds;
}
