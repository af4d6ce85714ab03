import { crc32 } from "node:zlib";
import type { Identifier } from "stix2-ts-types";
import type { Report } from "../sightings/report.ts";
import { recent } from "../map/recent.ts";
import { ruleTypes } from "../map/types.ts";
import { markingBits, markingsOf } from "../map/tags.ts";
import type { Sent } from "./sent.ts";

/**
 * One line of the state file: the CRC-32 (ISO 3309) of the rest in eight hexadecimal digits, a blank, and either
 * `uuid timestamp event fingerprint type markings creator patterns`, UUIDs in base64url, what is missing as `-`, the patterns as a JSON list of
 * strings; or `@name number` for a mark; or `+uuid attribute type time source` for a sighting that waits for MISP, its source as a JSON string, and
 * `~uuid attribute` when it does no longer. Base64url has neither of these signs.
 */
export type Line =
  | { readonly uuid: string; readonly sent: Sent }
  | { readonly mark: string; readonly value: number }
  | { readonly report: Report }
  | { readonly done: Pick<Report, "uuid" | "attribute"> };

/** The first line of a state file; the number is the version of its form. */
export const header = "threatbus-misp-state 1\n";
export const headerForm = /^threatbus-misp-state (\d+)\n/;

const types: ReadonlySet<string> = new Set(["stix", ...ruleTypes]);
const identity = "identity--";

export function sentLine(uuid: string, { patterns, patternType, timestamp, eventId, fingerprint, creator, markings }: Sent): string {
  const maker = creator === undefined ? "-" : makerOf(creator);
  const rest = [packed(uuid), timestamp, eventId || "-", fingerprint.toString(36), patternType, markingBits(markings ?? []), maker, JSON.stringify(patterns)];
  return checked(rest.join(" "));
}

export function markLine(mark: string, value: number): string {
  return checked(`@${mark} ${value}`);
}

export function reportLine({ uuid, attribute, type, time, source }: Report): string {
  return checked(`+${uuid} ${attribute} ${type} ${time} ${JSON.stringify(source)}`);
}

export function doneLine({ uuid, attribute }: Pick<Report, "uuid" | "attribute">): string {
  return checked(`~${uuid} ${attribute}`);
}

/** Undefined if anything in it is not as it was written. */
export function readLine(bytes: Buffer): Line | undefined {
  const text = bytes.toString("utf8", 9);
  if (Number.parseInt(bytes.toString("latin1", 0, 8), 16) !== crc32(bytes.subarray(9))) return undefined;
  if (text.startsWith("@")) {
    const [mark = "", value] = text.slice(1).split(" ");
    return { mark, value: Number(value) };
  }
  if (text.startsWith("+")) return { report: reportOf(text) };
  if (text.startsWith("~")) return { done: { uuid: text.slice(1, 37), attribute: text.slice(38) } };
  const [uuid = "", timestamp, eventId = "-", fingerprint = "", type = "", markings, maker = "-"] = text.split(" ", 7);
  if (!types.has(type)) return undefined;
  // A list begins with the first bracket: no field before it has one.
  const patterns = JSON.parse(text.slice(text.indexOf("["))) as string[];
  const marks = markingsOf(Number(markings));
  return {
    uuid: unpacked(uuid),
    sent: {
      patterns,
      patternType: type as Sent["patternType"],
      timestamp: Number(timestamp),
      eventId: eventId === "-" ? "" : eventId,
      fingerprint: Number.parseInt(fingerprint, 36),
      ...(maker !== "-" && { creator: creatorOf(maker) }),
      ...(marks.length > 0 && { markings: marks }),
    },
  };
}

function reportOf(text: string): Report {
  const [uuid = "", attribute = "", type, time] = text.slice(1).split(" ", 4);
  return { uuid, attribute, type: type === "1" ? 1 : 0, time: Number(time), source: JSON.parse(text.slice(text.indexOf('"'))) as string };
}

function checked(rest: string): string {
  return `${crc32(rest).toString(16).padStart(8, "0")} ${rest}\n`;
}

/** There are few creators. */
const makerOf = recent(1_000, (creator) => packed(creator.slice(identity.length)));
const creatorOf = recent(1_000, (maker): Identifier<"identity"> => `${identity}${unpacked(maker)}`);

function packed(uuid: string): string {
  return Buffer.from(uuid.replaceAll("-", ""), "hex").toString("base64url");
}

function unpacked(text: string): string {
  const hex = Buffer.from(text, "base64url").toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
