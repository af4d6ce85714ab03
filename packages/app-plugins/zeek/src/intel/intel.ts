/** Types of Zeek's Intel framework that indicators become (`scripts/base/frameworks/intel`, the same from 5.0 to 9.0), without `Intel::`. */
export type IntelType = "ADDR" | "SUBNET" | "URL" | "SOFTWARE" | "EMAIL" | "DOMAIN" | "USER_NAME" | "CERT_HASH" | "FILE_HASH" | "FILE_NAME";

/** One value for Zeek to watch. */
export interface IntelItem {
  readonly type: IntelType;
  readonly value: string;
}

/** What Zeek is told about an item. */
export interface IntelOperation extends IntelItem {
  readonly operation: "ADD" | "REMOVE";
  /** Of the indicator. */
  readonly id: string;
  /** When the indicator was created, in nanoseconds since 1970-01-01 UTC. */
  readonly created: bigint;
}
