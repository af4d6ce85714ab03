/** What is found on a machine: STIX 2.1 §6. */
import type { Dictionary, Identifier, LanguageTag, ObservableProperties, Timestamp } from "../common.ts";
import type { Extensions } from "../extensions/extension.ts";
import type { UnixAccountExtension, WindowsProcessExtension, WindowsServiceExtension } from "../extensions/host.ts";
import type { AccountType, WindowsRegistryDatatype } from "../vocabularies/observable.ts";

/** STIX 2.1 §6.11. */
export interface Mutex extends ObservableProperties<"mutex"> {
  readonly name: string;
}

/** At least one property besides type and id. STIX 2.1 §6.13. */
export interface Process extends ObservableProperties<"process"> {
  readonly extensions?: ProcessExtensions;
  readonly is_hidden?: boolean;
  readonly pid?: number;
  readonly created_time?: Timestamp;
  /** Working directory. */
  readonly cwd?: string;
  /** With the name of the program. */
  readonly command_line?: string;
  readonly environment_variables?: Dictionary<string>;
  readonly opened_connection_refs?: readonly Identifier<"network-traffic">[];
  readonly creator_user_ref?: Identifier<"user-account">;
  /** The program that runs. */
  readonly image_ref?: Identifier<"file">;
  readonly parent_ref?: Identifier<"process">;
  readonly child_refs?: readonly Identifier<"process">[];
}

/** STIX 2.1 §6.13.2 and §6.13.3. */
export interface ProcessExtensions extends Extensions {
  readonly "windows-process-ext"?: WindowsProcessExtension;
  readonly "windows-service-ext"?: WindowsServiceExtension;
}

/** A program, or an operating system. STIX 2.1 §6.14. */
export interface Software extends ObservableProperties<"software"> {
  readonly name: string;
  /** CPE 2.3 name. */
  readonly cpe?: string;
  /** Software identification tag, ISO/IEC 19770-2. */
  readonly swid?: string;
  readonly languages?: readonly LanguageTag[];
  readonly vendor?: string;
  readonly version?: string;
}

/** At least one property besides type and id. STIX 2.1 §6.16. */
export interface UserAccount extends ObservableProperties<"user-account"> {
  readonly extensions?: UserAccountExtensions;
  /** UID, GUID, account name or e-mail address, as the system has it. */
  readonly user_id?: string;
  /** In clear text. */
  readonly credential?: string;
  readonly account_login?: string;
  readonly account_type?: AccountType;
  readonly display_name?: string;
  readonly is_service_account?: boolean;
  readonly is_privileged?: boolean;
  readonly can_escalate_privs?: boolean;
  readonly is_disabled?: boolean;
  readonly account_created?: Timestamp;
  readonly account_expires?: Timestamp;
  readonly credential_last_changed?: Timestamp;
  readonly account_first_login?: Timestamp;
  readonly account_last_login?: Timestamp;
}

/** STIX 2.1 §6.16.2. */
export interface UserAccountExtensions extends Extensions {
  readonly "unix-account-ext"?: UnixAccountExtension;
}

/** At least one property besides type and id. STIX 2.1 §6.17. */
export interface WindowsRegistryKey extends ObservableProperties<"windows-registry-key"> {
  /** Full path with the hive, case kept: `HKEY_LOCAL_MACHINE\\System\\Foo`. */
  readonly key?: string;
  readonly values?: readonly WindowsRegistryValue[];
  readonly modified_time?: Timestamp;
  readonly creator_user_ref?: Identifier<"user-account">;
  readonly number_of_subkeys?: number;
}

/** At least one property. STIX 2.1 §6.17.2. */
export interface WindowsRegistryValue {
  /** Empty: the default value of the key. */
  readonly name?: string;
  readonly data?: string;
  readonly data_type?: WindowsRegistryDatatype;
}
