/** Data types and common properties: STIX 2.1 §2 and §3. */
import type { Extensions } from "./extensions/extension.ts";
import type { HashAlgorithm } from "./vocabularies/observable.ts";

/** One of the known values, offered by completion, or any other string. Open vocabulary, STIX 2.1 §2.14. */
export type Open<Known extends string> = Known | (string & {});

/** At least one of the optional properties `Keys` is there. */
export type AtLeastOne<Properties, Keys extends keyof Properties> = Properties & { [K in Keys]: Required<Pick<Properties, K>> }[Keys];

/** `<type>--<UUID>`, STIX 2.1 §2.9. Give a type, or a union of types, to say what may be referred to. */
export type Identifier<Type extends string = string> = `${Type}--${string}`;

/** RFC 3339 in UTC, any number of decimal places: `2016-04-06T20:03:48.123Z`, STIX 2.1 §2.16. */
export type Timestamp = `${number}-${number}-${number}T${number}:${number}:${number}Z`;

/** Base64, RFC 4648 §4. STIX 2.1 §2.1. */
export type Binary = string;

/** An even number of hexadecimal digits, lower case, without prefix. STIX 2.1 §2.8. */
export type Hex = string;

/** An RFC 5646 language tag such as `en` or `pt-BR`. */
export type LanguageTag = string;

/** Keys of 3 to 250 characters out of `a-z A-Z 0-9 - _`. STIX 2.1 §2.3. */
export interface Dictionary<Value = unknown> {
  readonly [key: string]: Value;
}

/** Digests by algorithm, in hexadecimal where the algorithm defines no other form. STIX 2.1 §2.7. */
export type Hashes = { readonly [Algorithm in HashAlgorithm]?: string };

/** A pointer to something outside of STIX: a CVE, an ATT&CK technique, a report. STIX 2.1 §2.5. */
export type ExternalReference = AtLeastOne<ExternalReferenceProperties, "description" | "url" | "external_id">;

interface ExternalReferenceProperties {
  /** `cve`, `mitre-attack`, `capec`, or a name of your own. */
  readonly source_name: string;
  readonly description?: string;
  readonly url?: string;
  /** Of what `url` points to; should be given with it. */
  readonly hashes?: Hashes;
  /** `CVE-2021-44228`, `T1566.001`. */
  readonly external_id?: string;
}

/** A step of an attack in a named model. STIX 2.1 §2.11. */
export interface KillChainPhase {
  /** `lockheed-martin-cyber-kill-chain`, `mitre-attack`, or a name of your own: lower case, hyphens for spaces. */
  readonly kill_chain_name: Open<"lockheed-martin-cyber-kill-chain" | "mitre-attack">;
  readonly phase_name: string;
}

/** Marks some properties of an object: with a marking, or with a language. STIX 2.1 §7.2.3. */
export type GranularMarking = SelectedMarking | SelectedLanguage;

interface SelectedMarking {
  /** Paths such as `description`, `labels.[0]` or `external_references.[1].url`, STIX 2.1 §7.2.3.1. */
  readonly selectors: readonly string[];
  readonly marking_ref: Identifier<"marking-definition">;
  readonly lang?: never;
}

interface SelectedLanguage {
  /** Paths such as `description`, `labels.[0]` or `external_references.[1].url`, STIX 2.1 §7.2.3.1. */
  readonly selectors: readonly string[];
  readonly lang: LanguageTag;
  readonly marking_ref?: never;
}

/** Properties of your own, by their prefix. STIX 2.1 §11.1; for any other name, intersect: `Indicator & { toxicity: number }`. */
export interface CustomProperties {
  readonly [custom: `x_${string}`]: unknown;
}

/** What marks an object and points out of it: on every object but the bundle. STIX 2.1 §3.2. */
export interface MarkedProperties extends CustomProperties {
  readonly object_marking_refs?: readonly Identifier<"marking-definition">[];
  readonly granular_markings?: readonly GranularMarking[];
}

/** Common properties of domain and relationship objects. STIX 2.1 §3.2. */
export interface DomainProperties<Type extends string> extends MarkedProperties {
  readonly type: Type;
  readonly spec_version: "2.1";
  readonly id: Identifier<Type>;
  readonly created_by_ref?: Identifier<"identity">;
  readonly created: Timestamp;
  /** Names the version: the same `id` with a later `modified` replaces this one. STIX 2.1 §3.6. */
  readonly modified: Timestamp;
  /** No longer valid, and no newer version will come. Default false. */
  readonly revoked?: boolean;
  readonly labels?: readonly string[];
  /** In percent, 0 to 100; left out: unspecified. Scales: STIX 2.1 Appendix A. */
  readonly confidence?: number;
  /** Of the text in this object. Default `en`. */
  readonly lang?: LanguageTag;
  readonly external_references?: readonly ExternalReference[];
  readonly extensions?: Extensions;
}

/** Common properties of cyber-observable objects: they have no time and no creator. STIX 2.1 §3.2. */
export interface ObservableProperties<Type extends string> extends MarkedProperties {
  readonly type: Type;
  /** Default `2.1`. */
  readonly spec_version?: "2.1";
  /** Should be a UUIDv5 of the contributing properties, so that equal observables have equal ids. STIX 2.1 §3.4. */
  readonly id: Identifier<Type>;
  /** The values were made harmless to click. Default false. */
  readonly defanged?: boolean;
  readonly extensions?: Extensions;
}
