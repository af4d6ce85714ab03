import { isThreatbusError, pointIndicators } from "@threatbus/core";
import type { PointIndicator } from "@threatbus/core";
import type { Indicator } from "stix2-ts-types";
import { stixNanoseconds } from "../wire/time.ts";
import type { IntelItem, IntelType } from "./intel.ts";
import { checkValue } from "./value-check.ts";

/** Why an indicator, or a part of one, does not go to Zeek. */
export type SkipReason =
  /** No list of plain values: AND, FOLLOWEDBY, LIKE … */
  | "pattern"
  /** Not a STIX pattern. */
  | "pattern_type"
  /** Values of kinds that Zeek does not look for. */
  | "path"
  /** Values that are none of their kind. */
  | "value";

/** What an indicator means for Zeek at the moment it comes. */
export interface Change {
  readonly id: string;
  /** In nanoseconds since 1970-01-01 UTC, like all times here. */
  readonly created: bigint;
  readonly modified: bigint;
  /** Exclusive end, if it has one. */
  readonly until: bigint | undefined;
  /** Removed, or revoked. */
  readonly gone: boolean;
  /** Each once. */
  readonly items: readonly IntelItem[];
  /** How many parts were left out, by why. */
  readonly skipped: ReadonlyMap<SkipReason, number>;
}

const nothing: Change["skipped"] = new Map();
const skipped = (reason: SkipReason): Pick<Change, "items" | "skipped"> => ({ items: [], skipped: new Map([[reason, 1]]) });

/** Object paths that Zeek has something for; those of `user` are what the first Threat Bus wrote for STIX's `user-account`. */
const paths: ReadonlyMap<string, IntelType> = new Map<string, IntelType>([
  ["domain-name:value", "DOMAIN"],
  ["email-addr:value", "EMAIL"],
  ["file:name", "FILE_NAME"],
  ["ipv4-addr:value", "ADDR"],
  ["ipv6-addr:value", "ADDR"],
  ["software:name", "SOFTWARE"],
  ["url:value", "URL"],
  ["user:user_id", "USER_NAME"],
  ["user:account_login", "USER_NAME"],
  ["user-account:user_id", "USER_NAME"],
  ["user-account:account_login", "USER_NAME"],
]);
/** By how they are written in capitals without dashes. */
const fileHashes: ReadonlySet<string> = new Set(["MD5", "SHA1", "SHA256", "SHA512", "SHA3256", "SHA3512", "SSDEEP", "TLSH"]);
const hashPath = /^(file|x509-certificate):hashes\.'?([A-Za-z0-9-]{1,20})'?$/;

export function changeOf(indicator: Indicator): Change {
  const { id, created, modified, valid_until, revoked, pattern_type } = indicator;
  const update = (indicator as { readonly x_threatbus_update?: unknown }).x_threatbus_update;
  const until = valid_until === undefined ? undefined : stixNanoseconds(valid_until);
  const since = stixNanoseconds(created);
  const mapped = pattern_type === "stix" || (pattern_type as string | undefined) === undefined ? itemsOf(indicator.pattern) : skipped("pattern_type");
  return {
    id,
    created: since,
    modified: modified === created ? since : stixNanoseconds(modified),
    until,
    gone: update === "REMOVE" || revoked === true,
    items: mapped.items,
    skipped: mapped.skipped,
  };
}

function itemsOf(pattern: string): Pick<Change, "items" | "skipped"> {
  const points = pointsOf(pattern);
  if (points === undefined) return skipped("pattern");
  const [only] = points;
  if (points.length === 1 && only !== undefined) {
    const item = itemOf(only);
    return typeof item === "string" ? skipped(item) : { items: [item], skipped: nothing };
  }
  const items = new Map<string, IntelItem>();
  const left = new Map<SkipReason, number>();
  // The bus takes patterns of 65,536 characters: 16,000 values at most.
  for (const point of points) {
    const item = itemOf(point);
    if (typeof item === "string") left.set(item, (left.get(item) ?? 0) + 1);
    else items.set(`${item.type} ${item.value}`, item);
  }
  return { items: [...items.values()], skipped: left };
}

function pointsOf(pattern: string): readonly PointIndicator[] | undefined {
  try {
    return pointIndicators(pattern);
  } catch (thrown) {
    if (isThreatbusError(thrown, "PATTERN_INVALID")) return undefined;
    throw thrown;
  }
}

function itemOf({ path, value, kind }: PointIndicator): IntelItem | "path" | "value" {
  const type = paths.get(path);
  if (type !== undefined) return kind === "string" || type === "USER_NAME" ? (checkValue(type, value) ?? "value") : "value";
  const [, object, name = ""] = hashPath.exec(path) ?? [];
  const algorithm = name.toUpperCase().replaceAll("-", "");
  if (object === "file" && fileHashes.has(algorithm)) return checkValue("FILE_HASH", value, algorithm) ?? "value";
  // Zeek knows certificates by their SHA-1 alone.
  if (object === "x509-certificate" && algorithm === "SHA1") return checkValue("CERT_HASH", value) ?? "value";
  return "path";
}
