/** Predefined extension of files for Windows programs: STIX 2.1 §6.7.6. */
import type { Hashes, Hex, Timestamp } from "../common.ts";
import type { WindowsPeBinaryType } from "../vocabularies/observable.ts";

/** `windows-pebinary-ext`. STIX 2.1 §6.7.6. */
export interface WindowsPeBinaryExtension {
  readonly pe_type: WindowsPeBinaryType;
  /** MD5 of the imports. */
  readonly imphash?: string;
  readonly machine_hex?: Hex;
  readonly number_of_sections?: number;
  /** When it was built, as it says itself. */
  readonly time_date_stamp?: Timestamp;
  readonly pointer_to_symbol_table_hex?: Hex;
  readonly number_of_symbols?: number;
  /** Bytes. */
  readonly size_of_optional_header?: number;
  readonly characteristics_hex?: Hex;
  readonly file_header_hashes?: Hashes;
  readonly optional_header?: WindowsPeOptionalHeader;
  readonly sections?: readonly WindowsPeSection[];
}

/** At least one property. Sizes in bytes. STIX 2.1 §6.7.6.2. */
export interface WindowsPeOptionalHeader {
  readonly magic_hex?: Hex;
  readonly major_linker_version?: number;
  readonly minor_linker_version?: number;
  readonly size_of_code?: number;
  readonly size_of_initialized_data?: number;
  readonly size_of_uninitialized_data?: number;
  readonly address_of_entry_point?: number;
  readonly base_of_code?: number;
  readonly base_of_data?: number;
  readonly image_base?: number;
  readonly section_alignment?: number;
  readonly file_alignment?: number;
  readonly major_os_version?: number;
  readonly minor_os_version?: number;
  readonly major_image_version?: number;
  readonly minor_image_version?: number;
  readonly major_subsystem_version?: number;
  readonly minor_subsystem_version?: number;
  readonly win32_version_value_hex?: Hex;
  readonly size_of_image?: number;
  readonly size_of_headers?: number;
  readonly checksum_hex?: Hex;
  readonly subsystem_hex?: Hex;
  readonly dll_characteristics_hex?: Hex;
  readonly size_of_stack_reserve?: number;
  readonly size_of_stack_commit?: number;
  readonly size_of_heap_reserve?: number;
  readonly size_of_heap_commit?: number;
  readonly loader_flags_hex?: Hex;
  readonly number_of_rva_and_sizes?: number;
  readonly hashes?: Hashes;
}

/** STIX 2.1 §6.7.6.3. */
export interface WindowsPeSection {
  readonly name: string;
  /** Bytes. */
  readonly size?: number;
  /** Bits per byte, 0 to 8. */
  readonly entropy?: number;
  readonly hashes?: Hashes;
}
