import type { Timestamp } from "stix2-ts-types";

const secondsOfDay = 86_400;
const two: readonly string[] = Array.from({ length: 60 }, (_, number) => String(number).padStart(2, "0"));

/** The day last asked for, and its text: attributes come in bursts, and a date takes ten times as long as the time of day. */
let lastDay = -1;
let lastDate = "";

/** @param seconds since 1970-01-01 UTC, whole */
export function timestampOf(seconds: number, milliseconds = 0): Timestamp {
  const day = Math.floor(seconds / secondsOfDay);
  if (day !== lastDay) {
    lastDate = new Date(day * secondsOfDay * 1_000).toISOString().slice(0, 11);
    lastDay = day;
  }
  const rest = seconds - day * secondsOfDay;
  const minute = Math.floor(rest / 60);
  return `${lastDate}${two[Math.floor(minute / 60)]}:${two[minute % 60]}:${two[rest % 60]}.${String(milliseconds).padStart(3, "0")}Z` as Timestamp;
}
