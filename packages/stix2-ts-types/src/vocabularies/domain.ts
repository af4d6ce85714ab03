/** Vocabularies of domain objects: STIX 2.1 §10. Types ending an open list accept other strings too. */
import type { Open } from "../common.ts";

/** STIX 2.1 §10.5, closed. */
export const extensionTypes = ["new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"] as const;
export type ExtensionType = (typeof extensionTypes)[number];

/** STIX 2.1 §10.10. */
export const indicatorTypes = [
  "anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution", "unknown",
] as const;
export type IndicatorType = Open<(typeof indicatorTypes)[number]>;

/** STIX 2.1 §10.19. */
export const patternTypes = ["stix", "pcre", "sigma", "snort", "suricata", "yara"] as const;
export type PatternType = Open<(typeof patternTypes)[number]>;
