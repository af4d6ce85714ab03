/** Vocabularies of domain and meta objects: STIX 2.1 §10. Open ones accept any other string too, the two marked closed do not. */
import type { Open } from "../common.ts";

/** STIX 2.1 §10.2. */
export const attackMotivations = [
  "accidental", "coercion", "dominance", "ideology", "notoriety", "organizational-gain", "personal-gain", "personal-satisfaction",
  "revenge", "unpredictable",
] as const;
export type AttackMotivation = Open<(typeof attackMotivations)[number]>;

/** STIX 2.1 §10.3. */
export const attackResourceLevels = ["individual", "club", "contest", "team", "organization", "government"] as const;
export type AttackResourceLevel = Open<(typeof attackResourceLevels)[number]>;

/** Closed. STIX 2.1 §10.5. */
export const extensionTypes = ["new-sdo", "new-sco", "new-sro", "property-extension", "toplevel-property-extension"] as const;
export type ExtensionType = (typeof extensionTypes)[number];

/** STIX 2.1 §10.6. */
export const groupingContexts = ["suspicious-activity", "malware-analysis", "unspecified"] as const;
export type GroupingContext = Open<(typeof groupingContexts)[number]>;

/** STIX 2.1 §10.8. */
export const identityClasses = ["individual", "group", "system", "organization", "class", "unknown"] as const;
export type IdentityClass = Open<(typeof identityClasses)[number]>;

/** STIX 2.1 §10.10. */
export const indicatorTypes = [
  "anomalous-activity", "anonymization", "benign", "compromised", "malicious-activity", "attribution", "unknown",
] as const;
export type IndicatorType = Open<(typeof indicatorTypes)[number]>;

/** STIX 2.1 §10.11. */
export const industrySectors = [
  "agriculture", "aerospace", "automotive", "chemical", "commercial", "communications", "construction", "defense", "education", "energy",
  "entertainment", "financial-services", "government", "emergency-services", "government-local", "government-national",
  "government-public-services", "government-regional", "healthcare", "hospitality-leisure", "infrastructure", "dams", "nuclear", "water",
  "insurance", "manufacturing", "mining", "non-profit", "pharmaceuticals", "retail", "technology", "telecommunications", "transportation",
  "utilities",
] as const;
export type IndustrySector = Open<(typeof industrySectors)[number]>;

/** STIX 2.1 §10.12. */
export const infrastructureTypes = [
  "amplification", "anonymization", "botnet", "command-and-control", "control-system", "exfiltration", "firewall", "hosting-malware",
  "hosting-target-lists", "phishing", "reconnaissance", "routers-switches", "staging", "workstation", "unknown",
] as const;
export type InfrastructureType = Open<(typeof infrastructureTypes)[number]>;

/** Closed. STIX 2.1 §10.18. */
export const opinionValues = ["strongly-disagree", "disagree", "neutral", "agree", "strongly-agree"] as const;
export type OpinionValue = (typeof opinionValues)[number];

/** STIX 2.1 §10.19. */
export const patternTypes = ["stix", "pcre", "sigma", "snort", "suricata", "yara"] as const;
export type PatternType = Open<(typeof patternTypes)[number]>;

/** STIX 2.1 §10.21. */
export const regions = [
  "africa", "eastern-africa", "middle-africa", "northern-africa", "southern-africa", "western-africa",
  "americas", "caribbean", "central-america", "latin-america-caribbean", "northern-america", "south-america",
  "asia", "central-asia", "eastern-asia", "southern-asia", "south-eastern-asia", "western-asia",
  "europe", "eastern-europe", "northern-europe", "southern-europe", "western-europe",
  "oceania", "antarctica", "australia-new-zealand", "melanesia", "micronesia", "polynesia",
] as const;
export type Region = Open<(typeof regions)[number]>;

/** STIX 2.1 §10.22. */
export const reportTypes = [
  "attack-pattern", "campaign", "identity", "indicator", "intrusion-set", "malware", "observed-data", "threat-actor", "threat-report",
  "tool", "vulnerability",
] as const;
export type ReportType = Open<(typeof reportTypes)[number]>;

/** STIX 2.1 §10.23. */
export const threatActorTypes = [
  "activist", "competitor", "crime-syndicate", "criminal", "hacker", "insider-accidental", "insider-disgruntled", "nation-state",
  "sensationalist", "spy", "terrorist", "unknown",
] as const;
export type ThreatActorType = Open<(typeof threatActorTypes)[number]>;

/** STIX 2.1 §10.24. */
export const threatActorRoles = [
  "agent", "director", "independent", "infrastructure-architect", "infrastructure-operator", "malware-author", "sponsor",
] as const;
export type ThreatActorRole = Open<(typeof threatActorRoles)[number]>;

/** From least to most. STIX 2.1 §10.25. */
export const threatActorSophistications = ["none", "minimal", "intermediate", "advanced", "expert", "innovator", "strategic"] as const;
export type ThreatActorSophistication = Open<(typeof threatActorSophistications)[number]>;

/** STIX 2.1 §10.26. */
export const toolTypes = [
  "denial-of-service", "exploitation", "information-gathering", "network-capture", "credential-exploitation", "remote-access",
  "vulnerability-scanning", "unknown",
] as const;
export type ToolType = Open<(typeof toolTypes)[number]>;
