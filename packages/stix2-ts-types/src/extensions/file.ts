/** Predefined extensions of files, all but the one for Windows programs. STIX 2.1 §6.7. Each holds at least one property. */
import type { Dictionary, Hashes, Identifier } from "../common.ts";

/** `archive-ext`: ZIP, RAR, TAR and the like. STIX 2.1 §6.7.2. */
export interface ArchiveExtension {
  readonly contains_refs: readonly Identifier<"file" | "directory">[];
  readonly comment?: string;
}

/** `ntfs-ext`. STIX 2.1 §6.7.3. */
export interface NtfsExtension {
  /** Security identifier of the file. */
  readonly sid?: string;
  readonly alternate_data_streams?: readonly AlternateDataStream[];
}

/** STIX 2.1 §6.7.3.2. */
export interface AlternateDataStream {
  readonly name: string;
  readonly hashes?: Hashes;
  /** Bytes. */
  readonly size?: number;
}

/** `pdf-ext`. STIX 2.1 §6.7.4. */
export interface PdfExtension {
  /** From the header, such as `1.7`. */
  readonly version?: string;
  readonly is_optimized?: boolean;
  /** Title, Author, Producer and the like. */
  readonly document_info_dict?: Dictionary<string>;
  /** First file identifier. */
  readonly pdfid0?: string;
  /** Second file identifier. */
  readonly pdfid1?: string;
}

/** `raster-image-ext`: pictures made of pixels. STIX 2.1 §6.7.5. */
export interface RasterImageExtension {
  /** Pixels. */
  readonly image_height?: number;
  /** Pixels. */
  readonly image_width?: number;
  readonly bits_per_pixel?: number;
  readonly exif_tags?: Dictionary<string | number>;
}
