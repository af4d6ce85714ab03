import type { Message } from "@threatbus/core";
import type { ExternalReference } from "stix2-ts-types";
import { attributeUuidOf } from "../map/indicator.ts";

/** A sighting as MISP takes it. */
export interface Report {
  /** Of the sighting itself: what tells a repetition. */
  readonly uuid: string;
  /** Of the attribute. */
  readonly attribute: string;
  /** 0 sighting, 1 false positive. */
  readonly type: 0 | 1;
  readonly source: string;
  /** Seconds since 1970-01-01 UTC. */
  readonly time: number;
}

/** `"echo"`: it came from a MISP. `"none"`: it says that nothing was seen, or agrees. `"foreign"`: it is about no indicator. */
export type NoReport = "echo" | "none" | "foreign";

/** Characters MISP keeps of a source. */
const longestSource = 255;
const uuidForm = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const disagreeing: ReadonlySet<unknown> = new Set(["disagree", "strongly-disagree"]);

type Fields = Readonly<Record<string, unknown>>;

/** What a sighting, or an opinion that disagrees with an indicator, means for MISP. An opinion may be about several. */
export function reportsOf({ body }: Message, prefix: string): readonly Report[] | NoReport {
  if (typeof body === "string") return "foreign";
  const fields = body as unknown as Fields;
  const tool = text(fields["x_threatbus_source"]);
  if (tool === "MISP") return "echo";
  const opinion = fields["type"] === "opinion";
  if (opinion ? !disagreeing.has(fields["opinion"]) : fields["count"] === 0) return "none";
  const source = `${prefix}${tool === "" ? "" : ` (${tool})`}`.slice(0, longestSource);
  const seen = text(fields["last_seen"]) || text(fields["first_seen"]) || text(fields["created"]);
  const time = Math.floor(Date.parse(seen) / 1_000);
  const id = text(fields["id"]).slice(-36).toLowerCase();
  const refs = opinion && Array.isArray(fields["object_refs"]) ? (fields["object_refs"] as unknown[]) : [fields["sighting_of_ref"]];
  const reports = refs.flatMap((ref): Report[] => {
    const attribute = attributeUuidOf(text(ref), fields["x_threatbus_indicator"] as { external_references?: ExternalReference[] } | undefined)?.toLowerCase();
    return attribute === undefined || !uuidForm.test(attribute) || !uuidForm.test(id) ? [] : [{ uuid: id, attribute, type: opinion ? 1 : 0, source, time }];
  });
  return reports.length === 0 ? "foreign" : reports;
}

function text(value: unknown): string {
  return typeof value === "string" ? value.replaceAll(/[\p{C}\s]+/gu, " ").trim() : "";
}
