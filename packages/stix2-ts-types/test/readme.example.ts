import { timestamp, tlp } from "stix2-ts-types";
import type { Bundle, Indicator, StixObject } from "stix2-ts-types";

const now = timestamp(new Date());

const indicator: Indicator = {
  type: "indicator",
  spec_version: "2.1",
  id: `indicator--${crypto.randomUUID()}`,
  created: now,
  modified: now,
  pattern: "[ipv4-addr:value = '198.51.100.23']",
  pattern_type: "stix", // completes stix, pcre, sigma, …; "kql" is accepted as well
  valid_from: now,
  object_marking_refs: [tlp.green.id],
  x_acme_score: 7, // custom properties: any name with x_
};

function describe(object: StixObject): string {
  switch (object.type) {
    case "indicator": return object.pattern;
    case "ipv4-addr": return object.value;
    case "malware": return object.is_family ? `family ${object.name}` : object.id;
    default: return object.id;
  }
}

export const bundle: Bundle = { type: "bundle", id: `bundle--${crypto.randomUUID()}`, objects: [indicator] };
export const lines: string[] = (bundle.objects ?? []).map(describe);
