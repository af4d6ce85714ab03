/** Who, where and to what end: STIX 2.1 §4. */
import type { DomainProperties, Timestamp } from "../common.ts";
import type {
  AttackMotivation, AttackResourceLevel, IdentityClass, IndustrySector, Region, ThreatActorRole, ThreatActorSophistication, ThreatActorType,
} from "../vocabularies/domain.ts";

/** Malicious activity over a time against specific targets. STIX 2.1 §4.2. */
export interface Campaign extends DomainProperties<"campaign"> {
  readonly name: string;
  readonly description?: string;
  readonly aliases?: readonly string[];
  readonly first_seen?: Timestamp;
  /** Not earlier than `first_seen`. */
  readonly last_seen?: Timestamp;
  readonly objective?: string;
}

/** A person, organization, system, or class of them. STIX 2.1 §4.5. */
export interface Identity extends DomainProperties<"identity"> {
  readonly name: string;
  readonly description?: string;
  /** Such as `CEO` or `Domain Administrators`. */
  readonly roles?: readonly string[];
  readonly identity_class?: IdentityClass;
  readonly sectors?: readonly IndustrySector[];
  readonly contact_information?: string;
}

/** Behaviours and resources believed to belong to one organization. STIX 2.1 §4.9. */
export interface IntrusionSet extends DomainProperties<"intrusion-set"> {
  readonly name: string;
  readonly description?: string;
  readonly aliases?: readonly string[];
  readonly first_seen?: Timestamp;
  /** Not earlier than `first_seen`. */
  readonly last_seen?: Timestamp;
  readonly goals?: readonly string[];
  readonly resource_level?: AttackResourceLevel;
  readonly primary_motivation?: AttackMotivation;
  readonly secondary_motivations?: readonly AttackMotivation[];
}

/** A place, by region, country or coordinates; where several are given, the most precise counts. STIX 2.1 §4.10. */
export type Location = LocationProperties & (InRegion | InCountry | AtCoordinates);

interface LocationProperties extends DomainProperties<"location"> {
  readonly name?: string;
  readonly description?: string;
  /** Degrees north, -90 to 90. Never without `longitude`. */
  readonly latitude?: number;
  /** Degrees east, -180 to 180. Never without `latitude`. */
  readonly longitude?: number;
  /** Metres around the coordinates (WGS 84), which must be there. */
  readonly precision?: number;
  readonly region?: Region;
  /** ISO 3166-1 alpha-2. */
  readonly country?: string;
  /** State or province, ISO 3166-2. */
  readonly administrative_area?: string;
  readonly city?: string;
  readonly street_address?: string;
  readonly postal_code?: string;
}
interface InRegion {
  readonly region: Region;
}
interface InCountry {
  readonly country: string;
}
interface AtCoordinates {
  readonly latitude: number;
  readonly longitude: number;
}

/** People or organizations believed to act with malicious intent. STIX 2.1 §4.17. */
export interface ThreatActor extends DomainProperties<"threat-actor"> {
  readonly name: string;
  readonly description?: string;
  readonly threat_actor_types?: readonly ThreatActorType[];
  readonly aliases?: readonly string[];
  readonly first_seen?: Timestamp;
  /** Not earlier than `first_seen`. */
  readonly last_seen?: Timestamp;
  readonly roles?: readonly ThreatActorRole[];
  readonly goals?: readonly string[];
  readonly sophistication?: ThreatActorSophistication;
  readonly resource_level?: AttackResourceLevel;
  readonly primary_motivation?: AttackMotivation;
  readonly secondary_motivations?: readonly AttackMotivation[];
  readonly personal_motivations?: readonly AttackMotivation[];
}
