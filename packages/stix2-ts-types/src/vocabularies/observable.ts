/** Vocabularies of cyber-observable objects: STIX 2.1 §10. */
import type { Open } from "../common.ts";

/** STIX 2.1 §10.7. */
export const hashAlgorithms = ["MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH"] as const;
export type HashAlgorithm = Open<(typeof hashAlgorithms)[number]>;
