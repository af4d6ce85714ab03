/** Every object, as unions told apart by `type`. */
import type { DomainProperties, Identifier, ObservableProperties } from "./common.ts";
import type { ExtensionDefinition, LanguageContent, MarkingDefinition } from "./meta.ts";
import type { X509Certificate } from "./sco/certificate.ts";
import type { EmailAddress, EmailMessage } from "./sco/email.ts";
import type { Artifact, Directory, File } from "./sco/file.ts";
import type { Mutex, Process, Software, UserAccount, WindowsRegistryKey } from "./sco/host.ts";
import type { AutonomousSystem, DomainName, Ipv4Address, Ipv6Address, MacAddress, NetworkTraffic, Url } from "./sco/network.ts";
import type { Campaign, Identity, IntrusionSet, Location, ThreatActor } from "./sdo/actor.ts";
import type { Grouping, Note, Opinion, Report } from "./sdo/assessment.ts";
import type { Incident, Indicator, ObservedData } from "./sdo/evidence.ts";
import type { AttackPattern, CourseOfAction, Infrastructure, Malware, MalwareAnalysis, Tool, Vulnerability } from "./sdo/technique.ts";
import type { Relationship, Sighting } from "./sro.ts";

/** STIX 2.1 §4. */
export type DomainObject =
  | AttackPattern | Campaign | CourseOfAction | Grouping | Identity | Incident | Indicator | Infrastructure | IntrusionSet | Location
  | Malware | MalwareAnalysis | Note | ObservedData | Opinion | Report | ThreatActor | Tool | Vulnerability;

/** STIX 2.1 §5. */
export type RelationshipObject = Relationship | Sighting;

/** STIX 2.1 §6. */
export type ObservableObject =
  | Artifact | AutonomousSystem | Directory | DomainName | EmailAddress | EmailMessage | File | Ipv4Address | Ipv6Address | MacAddress
  | Mutex | NetworkTraffic | Process | Software | Url | UserAccount | WindowsRegistryKey | X509Certificate;

/** STIX 2.1 §7. */
export type MetaObject = ExtensionDefinition | LanguageContent | MarkingDefinition;

/** Every object the standard defines. */
export type StandardObject = DomainObject | RelationshipObject | ObservableObject | MetaObject;

/**
 * An object the standard does not define, STIX 2.1 §7.3 and §11.2. Its type begins with `x-`, so that comparing `type` still tells all
 * others apart; types of extensions without that prefix are added by name: `StixObject<CustomObject | CustomObject<"weather-balloon">>`.
 */
export interface CustomObject<Type extends string = `x-${string}`> extends CustomObjectProperties<Type> {
  readonly type: Type;
  readonly id: Identifier<Type>;
  readonly [property: string]: unknown;
}
type CustomObjectProperties<Type extends string> = Partial<
  Omit<DomainProperties<Type>, "type" | "id"> & Pick<ObservableProperties<Type>, "defanged">
>;

/** Any object a bundle may hold. `Custom` is what to expect beyond the standard; `never` for nothing. */
export type StixObject<Custom = CustomObject> = StandardObject | Custom;

/** The object of a type: `ObjectOfType<"file">` is `File`. */
export type ObjectOfType<Type extends ObjectType> = Extract<StandardObject, { readonly type: Type }>;

/** STIX 2.1 §4. */
export const domainObjectTypes = [
  "attack-pattern", "campaign", "course-of-action", "grouping", "identity", "incident", "indicator", "infrastructure", "intrusion-set",
  "location", "malware", "malware-analysis", "note", "observed-data", "opinion", "report", "threat-actor", "tool", "vulnerability",
] as const;

/** STIX 2.1 §5. */
export const relationshipObjectTypes = ["relationship", "sighting"] as const;

/** STIX 2.1 §6. */
export const observableObjectTypes = [
  "artifact", "autonomous-system", "directory", "domain-name", "email-addr", "email-message", "file", "ipv4-addr", "ipv6-addr", "mac-addr",
  "mutex", "network-traffic", "process", "software", "url", "user-account", "windows-registry-key", "x509-certificate",
] as const;

/** STIX 2.1 §7. */
export const metaObjectTypes = ["extension-definition", "language-content", "marking-definition"] as const;

/** The value of `type` of every object the standard defines. */
export type ObjectType = StandardObject["type"];

/** The 42 types a standard object may have: domain, relationship, observable and meta objects. */
export const objectTypes: readonly ObjectType[] = [
  ...domainObjectTypes, ...relationshipObjectTypes, ...observableObjectTypes, ...metaObjectTypes,
];
