/** Files and what they hold: STIX 2.1 §6. */
import type { Binary, Hashes, Hex, Identifier, ObservableProperties, Timestamp } from "../common.ts";
import type { Extensions } from "../extensions/extension.ts";
import type { ArchiveExtension, NtfsExtension, PdfExtension, RasterImageExtension } from "../extensions/file.ts";
import type { WindowsPeBinaryExtension } from "../extensions/windows-pe.ts";
import type { EncryptionAlgorithm } from "../vocabularies/observable.ts";

/** Bytes: here, or at a URL. STIX 2.1 §6.1. */
export type Artifact = ArtifactProperties & (EmbeddedPayload | LinkedPayload | NoPayload);

interface ArtifactProperties extends ObservableProperties<"artifact"> {
  /** From the IANA registry. */
  readonly mime_type?: string;
  readonly encryption_algorithm?: EncryptionAlgorithm;
  /** Never without `encryption_algorithm`. */
  readonly decryption_key?: string;
}
interface EmbeddedPayload {
  readonly payload_bin: Binary;
  readonly hashes?: Hashes;
  readonly url?: never;
}
interface LinkedPayload {
  readonly url: string;
  /** Of what is at `url`; never left out. */
  readonly hashes: Hashes;
  readonly payload_bin?: never;
}
interface NoPayload {
  readonly hashes?: Hashes;
  readonly payload_bin?: never;
  readonly url?: never;
}

/** STIX 2.1 §6.3. */
export interface Directory extends ObservableProperties<"directory"> {
  readonly path: string;
  /** Character set the path came in, from the IANA registry; only if that was not Unicode. */
  readonly path_enc?: string;
  /** Created. */
  readonly ctime?: Timestamp;
  /** Last written. */
  readonly mtime?: Timestamp;
  /** Last accessed. */
  readonly atime?: Timestamp;
  readonly contains_refs?: readonly Identifier<"file" | "directory">[];
}

/** By its digests, its name, or both. STIX 2.1 §6.7. */
export type File = FileProperties & (ByHashes | ByName);

interface FileProperties extends ObservableProperties<"file"> {
  readonly extensions?: FileExtensions;
  readonly hashes?: Hashes;
  /** Bytes. */
  readonly size?: number;
  readonly name?: string;
  /** Character set the name came in, from the IANA registry; only if that was not Unicode. */
  readonly name_enc?: string;
  /** The first bytes, which tell the format. */
  readonly magic_number_hex?: Hex;
  /** From the IANA registry. */
  readonly mime_type?: string;
  /** Created. */
  readonly ctime?: Timestamp;
  /** Last written. */
  readonly mtime?: Timestamp;
  /** Last accessed. */
  readonly atime?: Timestamp;
  readonly parent_directory_ref?: Identifier<"directory">;
  /** Observables found inside, such as URLs or other files. */
  readonly contains_refs?: readonly Identifier[];
  readonly content_ref?: Identifier<"artifact">;
}
interface ByHashes {
  readonly hashes: Hashes;
}
interface ByName {
  readonly name: string;
}

/** STIX 2.1 §6.7.2 to §6.7.6. */
export interface FileExtensions extends Extensions {
  readonly "archive-ext"?: ArchiveExtension;
  readonly "ntfs-ext"?: NtfsExtension;
  readonly "pdf-ext"?: PdfExtension;
  readonly "raster-image-ext"?: RasterImageExtension;
  readonly "windows-pebinary-ext"?: WindowsPeBinaryExtension;
}
