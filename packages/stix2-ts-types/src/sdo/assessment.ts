/** What people and tools say about other objects: STIX 2.1 §4. */
import type { DomainProperties, Identifier, Timestamp } from "../common.ts";
import type { GroupingContext, OpinionValue, ReportType } from "../vocabularies/domain.ts";

/** Objects that share a context, not yet a finished report. STIX 2.1 §4.4. */
export interface Grouping extends DomainProperties<"grouping"> {
  readonly name?: string;
  readonly description?: string;
  readonly context: GroupingContext;
  readonly object_refs: readonly Identifier[];
}

/** Text about other objects. STIX 2.1 §4.13. */
export interface Note extends DomainProperties<"note"> {
  /** A short summary of `content`. */
  readonly abstract?: string;
  readonly content: string;
  readonly authors?: readonly string[];
  readonly object_refs: readonly Identifier[];
}

/** How far someone else's objects are agreed with. STIX 2.1 §4.15. */
export interface Opinion extends DomainProperties<"opinion"> {
  readonly explanation?: string;
  readonly authors?: readonly string[];
  readonly opinion: OpinionValue;
  readonly object_refs: readonly Identifier[];
}

/** Published intelligence on one or more topics, with the objects it speaks of. STIX 2.1 §4.16. */
export interface Report extends DomainProperties<"report"> {
  readonly name: string;
  readonly description?: string;
  readonly report_types?: readonly ReportType[];
  readonly published: Timestamp;
  readonly object_refs: readonly Identifier[];
}
