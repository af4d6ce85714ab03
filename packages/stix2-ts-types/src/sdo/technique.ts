/** How attacks are done, with what, and what helps against them: STIX 2.1 §4. */
import type { DomainProperties, Identifier, KillChainPhase, Timestamp } from "../common.ts";
import type { InfrastructureType, ToolType } from "../vocabularies/domain.ts";
import type {
  ImplementationLanguage, MalwareCapability, MalwareResult, MalwareType, ProcessorArchitecture,
} from "../vocabularies/malware.ts";

/** A way to attack, such as spear phishing. STIX 2.1 §4.1. */
export interface AttackPattern extends DomainProperties<"attack-pattern"> {
  readonly name: string;
  readonly description?: string;
  readonly aliases?: readonly string[];
  readonly kill_chain_phases?: readonly KillChainPhase[];
}

/** What to do against an attack. STIX 2.1 §4.3. */
export interface CourseOfAction extends DomainProperties<"course-of-action"> {
  readonly name: string;
  readonly description?: string;
}

/** Systems and services an attack uses, or is defended with. STIX 2.1 §4.8. */
export interface Infrastructure extends DomainProperties<"infrastructure"> {
  readonly name: string;
  readonly description?: string;
  readonly infrastructure_types?: readonly InfrastructureType[];
  readonly aliases?: readonly string[];
  readonly kill_chain_phases?: readonly KillChainPhase[];
  readonly first_seen?: Timestamp;
  /** Not earlier than `first_seen`. */
  readonly last_seen?: Timestamp;
}

/** A family, which must have a name, or one instance. STIX 2.1 §4.11. */
export type Malware = MalwareProperties & (MalwareFamily | MalwareInstance);

interface MalwareProperties extends DomainProperties<"malware"> {
  readonly name?: string;
  readonly description?: string;
  readonly malware_types?: readonly MalwareType[];
  readonly aliases?: readonly string[];
  readonly kill_chain_phases?: readonly KillChainPhase[];
  readonly first_seen?: Timestamp;
  /** Not earlier than `first_seen`. */
  readonly last_seen?: Timestamp;
  /** The systems it runs on. */
  readonly operating_system_refs?: readonly Identifier<"software">[];
  readonly architecture_execution_envs?: readonly ProcessorArchitecture[];
  readonly implementation_languages?: readonly ImplementationLanguage[];
  readonly capabilities?: readonly MalwareCapability[];
  /** Of an instance, all samples are the same binary. */
  readonly sample_refs?: readonly Identifier<"artifact" | "file">[];
}
interface MalwareFamily {
  readonly is_family: true;
  readonly name: string;
}
interface MalwareInstance {
  readonly is_family: false;
}

/** One run of an analysis, with a result or with what it captured. STIX 2.1 §4.12. */
export type MalwareAnalysis = MalwareAnalysisProperties & (Judged | Captured);

interface MalwareAnalysisProperties extends DomainProperties<"malware-analysis"> {
  /** Lower case, hyphens for spaces; `anonymized` if it cannot be told. */
  readonly product: string;
  readonly version?: string;
  readonly host_vm_ref?: Identifier<"software">;
  readonly operating_system_ref?: Identifier<"software">;
  readonly installed_software_refs?: readonly Identifier<"software">[];
  readonly configuration_version?: string;
  readonly modules?: readonly string[];
  readonly analysis_engine_version?: string;
  readonly analysis_definition_version?: string;
  readonly submitted?: Timestamp;
  readonly analysis_started?: Timestamp;
  readonly analysis_ended?: Timestamp;
  /** The scanner's name for the malware. */
  readonly result_name?: string;
  readonly result?: MalwareResult;
  /** Observables captured during the analysis. */
  readonly analysis_sco_refs?: readonly Identifier[];
  readonly sample_ref?: Identifier<"artifact" | "file" | "network-traffic">;
}
interface Judged {
  readonly result: MalwareResult;
}
interface Captured {
  readonly analysis_sco_refs: readonly Identifier[];
}

/** Legitimate software that attackers use. STIX 2.1 §4.18. */
export interface Tool extends DomainProperties<"tool"> {
  readonly name: string;
  readonly description?: string;
  readonly tool_types?: readonly ToolType[];
  readonly aliases?: readonly string[];
  readonly kill_chain_phases?: readonly KillChainPhase[];
  readonly tool_version?: string;
}

/** A weakness in software; its CVE is an external reference with source `cve`. STIX 2.1 §4.19. */
export interface Vulnerability extends DomainProperties<"vulnerability"> {
  readonly name: string;
  readonly description?: string;
}
