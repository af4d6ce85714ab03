import type { StixObject } from "stix2-ts-types";
import { checkPattern } from "./pattern/check.ts";
import { isThreatbusError } from "./errors.ts";
import { refuse } from "./refuse.ts";
import { isTimestamp } from "./timestamp.ts";

type Fields = Readonly<Record<string, unknown>>;

/** STIX 2.1 §6: cyber-observable objects carry no `created` and `modified`. */
const observables: ReadonlySet<string> = new Set([
  "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr", "ipv6-addr",
  "mac-addr", "mutex", "network-traffic", "process", "software", "url", "user-account", "windows-registry-key", "x509-certificate",
]);
const timed: ReadonlySet<string> = new Set([
  "attack-pattern", "campaign", "course-of-action", "extension-definition", "grouping", "identity", "incident", "indicator",
  "infrastructure", "intrusion-set", "language-content", "location", "malware", "malware-analysis", "note", "observed-data", "opinion",
  "relationship", "report", "sighting", "threat-actor", "tool", "vulnerability",
]);
const typeForm = /^[a-z0-9]+(?:-+[a-z0-9]+)*$/;
/** Whether a character is a hexadecimal digit. A table, since every id is looked at and a regular expression takes twice as long. */
const hex: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => (/[0-9a-fA-F]/.test(String.fromCharCode(code)) ? 1 : 0));
const dash = 0x2d;
/** STIX 2.1 §2.9, with any version of UUID. */
const referenceForm = /^[a-z0-9]+(?:-+[a-z0-9]+)*--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Checks what a receiver relies on: `type`, `id`, `created`/`modified`, times that are times, a pattern that parses. Lenient where
 * STIX is open: custom properties, unknown object types, any UUID version (the nil UUID included).
 */
export function checkStix(value: unknown): asserts value is StixObject {
  if (!isFields(value)) refuse("type", "not an object");
  const type = value["type"];
  if (typeof type !== "string" || type.length > 250 || !(timed.has(type) || typeForm.test(type))) refuse("type", "type is no STIX object type");
  const id = value["id"];
  if (typeof id !== "string" || id.length !== type.length + 38 || !id.startsWith(type) || !isUuidFrom(id, type.length)) {
    refuse("id", "id is not the type, two dashes and a UUID");
  }
  if (timed.has(type)) {
    const created = value["created"];
    if (!isTimestamp(created)) refuse("time", "created is no RFC 3339 UTC time");
    if (value["modified"] !== created && !isTimestamp(value["modified"])) refuse("time", "modified is no RFC 3339 UTC time");
    if (type === "indicator") checkIndicator(value);
    else if (type === "sighting") checkSighting(value);
  } else if (!observables.has(type)) {
    checkTime(value, "created");
    checkTime(value, "modified");
  }
  const maker = value["constructor"];
  if ((maker !== Object && maker !== undefined) || value["prototype"] !== undefined) refuse("keys", "constructor and prototype are no STIX properties");
}

/** Whether two dashes and a UUID (RFC 9562 §4) of any version stand in the id from there on. */
function isUuidFrom(id: string, at: number): boolean {
  for (let place = at; place < id.length; place++) {
    const code = id.charCodeAt(place);
    if (hex[code] === 1) continue;
    const within = place - at;
    if (code !== dash || (within > 1 && within !== 10 && within !== 15 && within !== 20 && within !== 25)) return false;
  }
  return id.charCodeAt(at) === dash && id.charCodeAt(at + 1) === dash && id.charCodeAt(at + 10) === dash && id.charCodeAt(at + 15) === dash
    && id.charCodeAt(at + 20) === dash && id.charCodeAt(at + 25) === dash;
}

function checkIndicator(value: Fields): void {
  const pattern = value["pattern"];
  const language = value["pattern_type"];
  if (typeof pattern !== "string" || pattern === "") refuse("pattern", "pattern is missing");
  if (language === undefined || language === "stix") checkStixPattern(pattern);
  else if (typeof language !== "string") refuse("pattern", "pattern_type is no string");
  if (value["valid_from"] !== value["created"]) checkTime(value, "valid_from");
  checkTime(value, "valid_until");
  const update = value["x_threatbus_update"];
  if (update !== undefined && update !== "REMOVE" && update !== "EDIT") refuse("value", "x_threatbus_update is neither EDIT nor REMOVE");
}

function checkStixPattern(pattern: string): void {
  try {
    checkPattern(pattern);
  } catch (thrown) {
    if (isThreatbusError(thrown, "PATTERN_INVALID")) refuse("pattern", "pattern does not parse as a STIX pattern");
    throw thrown;
  }
}

function checkSighting(value: Fields): void {
  const sighted = value["sighting_of_ref"];
  if (typeof sighted !== "string" || !referenceForm.test(sighted)) refuse("id", "sighting_of_ref is no STIX id");
  checkTime(value, "first_seen");
  checkTime(value, "last_seen");
  const count = value["count"];
  if (count !== undefined && !(Number.isInteger(count) && (count as number) >= 0)) refuse("value", "count is no whole number");
  const context = value["x_threatbus_sighting_context"];
  if (context !== undefined && context !== null && !isFields(context)) refuse("value", "x_threatbus_sighting_context is no object");
  const indicator = value["x_threatbus_indicator"];
  if (indicator !== undefined && indicator !== null) {
    checkStix(indicator);
    if ((indicator as { type: string }).type !== "indicator") refuse("type", "x_threatbus_indicator is no indicator");
  }
}

function checkTime(value: Fields, property: string): void {
  const time = value[property];
  if (time !== undefined && !isTimestamp(time)) refuse("time", `${property} is no RFC 3339 UTC time`);
}
