/** What was seen and what to look for: indicator. STIX 2.1 §4. */
import type { DomainProperties, KillChainPhase, Timestamp } from "../common.ts";
import type { IndicatorType, PatternType } from "../vocabularies/domain.ts";

/** A pattern that detects suspicious or malicious activity. STIX 2.1 §4.7. */
export interface Indicator extends DomainProperties<"indicator"> {
  readonly name?: string;
  readonly description?: string;
  readonly indicator_types?: readonly IndicatorType[];
  /** In the language of `pattern_type`. */
  readonly pattern: string;
  readonly pattern_type: PatternType;
  readonly pattern_version?: string;
  readonly valid_from: Timestamp;
  /** Later than `valid_from`. Left out: valid without end. */
  readonly valid_until?: Timestamp;
  readonly kill_chain_phases?: readonly KillChainPhase[];
}
