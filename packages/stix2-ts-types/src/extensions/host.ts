/** Predefined extensions of processes and user accounts: STIX 2.1 §6.13 and §6.16. Each holds at least one property. */
import type { Dictionary, Identifier } from "../common.ts";
import type {
  WindowsIntegrityLevel, WindowsServiceStartType, WindowsServiceStatus, WindowsServiceType,
} from "../vocabularies/observable.ts";

/** `windows-process-ext`. STIX 2.1 §6.13.2. */
export interface WindowsProcessExtension {
  readonly aslr_enabled?: boolean;
  readonly dep_enabled?: boolean;
  /** Priority class, such as `HIGH_PRIORITY_CLASS`. */
  readonly priority?: string;
  readonly owner_sid?: string;
  readonly window_title?: string;
  /** The STARTUP_INFO structure by its members' names. */
  readonly startup_info?: Dictionary;
  readonly integrity_level?: WindowsIntegrityLevel;
}

/** `windows-service-ext`. STIX 2.1 §6.13.3. */
export interface WindowsServiceExtension {
  readonly service_name?: string;
  readonly descriptions?: readonly string[];
  readonly display_name?: string;
  /** Load ordering group. */
  readonly group_name?: string;
  readonly start_type?: WindowsServiceStartType;
  readonly service_dll_refs?: readonly Identifier<"file">[];
  readonly service_type?: WindowsServiceType;
  readonly service_status?: WindowsServiceStatus;
}

/** `unix-account-ext`. STIX 2.1 §6.16.2. */
export interface UnixAccountExtension {
  /** Primary group. */
  readonly gid?: number;
  readonly groups?: readonly string[];
  readonly home_dir?: string;
  readonly shell?: string;
}
