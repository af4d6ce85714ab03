/** What to look for, and what was seen: STIX 2.1 §4. */
import type { Dictionary, DomainProperties, Identifier, KillChainPhase, Timestamp } from "../common.ts";
import type { ObservableObject } from "../objects.ts";
import type { IndicatorType, PatternType } from "../vocabularies/domain.ts";

/** A stub in this version of the standard: extensions give it substance. STIX 2.1 §4.6. */
export interface Incident extends DomainProperties<"incident"> {
  readonly name: string;
  readonly description?: string;
}

/** A pattern that detects suspicious or malicious activity. STIX 2.1 §4.7. */
export interface Indicator extends DomainProperties<"indicator"> {
  readonly name?: string;
  readonly description?: string;
  readonly indicator_types?: readonly IndicatorType[];
  /** In the language of `pattern_type`. */
  readonly pattern: string;
  readonly pattern_type: PatternType;
  /** Of the pattern language. */
  readonly pattern_version?: string;
  readonly valid_from: Timestamp;
  /** Later than `valid_from`. Left out: valid without end. */
  readonly valid_until?: Timestamp;
  readonly kill_chain_phases?: readonly KillChainPhase[];
}

/** Raw observations, without a judgement. STIX 2.1 §4.14. */
export type ObservedData = ObservedDataProperties & (ReferredObservables | EmbeddedObservables);

interface ObservedDataProperties extends DomainProperties<"observed-data"> {
  readonly first_observed: Timestamp;
  /** Not earlier than `first_observed`. */
  readonly last_observed: Timestamp;
  /** 1 to 999,999,999. */
  readonly number_observed: number;
}
interface ReferredObservables {
  /** Observables, at least one, and the relationships between them. */
  readonly object_refs: readonly Identifier[];
  readonly objects?: never;
}
interface EmbeddedObservables {
  /** @deprecated by the standard in favour of `object_refs`. STIX 2.1 §2.13. */
  readonly objects: Dictionary<ContainedObservable>;
  readonly object_refs?: never;
}

/** As an observable, but the ids are keys of the same dictionary, and it needs none itself. STIX 2.1 §2.13. */
export interface ContainedObservable {
  readonly type: ObservableObject["type"] | `x-${string}`;
  readonly [property: string]: unknown;
}
