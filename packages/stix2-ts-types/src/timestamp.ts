import type { Timestamp } from "./common.ts";

/**
 * A date as STIX writes it, to the millisecond. STIX 2.1 §2.16.
 * @throws RangeError if the date is invalid or its year is not within 0 to 9999
 */
export function timestamp(date: Date): Timestamp {
  const text = date.toISOString();
  if (text.length !== 24) throw new RangeError("year out of range");
  return text as Timestamp;
}
