/**
 * Zeek's values as they travel, the same under every transport: Broker's data model (zeek/broker `libbroker/broker/data.hh`). Records,
 * patterns, functions and opaque values are vectors on the wire.
 */
export type Value =
  | { readonly type: "none" }
  | { readonly type: "boolean"; readonly value: boolean }
  /** Unsigned, 64 bits. */
  | { readonly type: "count"; readonly value: bigint }
  /** Signed, 64 bits. */
  | { readonly type: "integer"; readonly value: bigint }
  | { readonly type: "real"; readonly value: number }
  | { readonly type: "string"; readonly value: Text }
  /** `192.0.2.1` or RFC 5952. */
  | { readonly type: "address"; readonly value: string }
  /** `192.0.2.0/24`, `2001:db8::/32`. */
  | { readonly type: "subnet"; readonly value: string }
  | { readonly type: "port"; readonly value: number; readonly protocol: PortProtocol }
  /** Nanoseconds since 1970-01-01 UTC, signed, 64 bits. */
  | { readonly type: "timestamp"; readonly value: bigint }
  /** Nanoseconds, signed, 64 bits. */
  | { readonly type: "timespan"; readonly value: bigint }
  /** Its full name, `Intel::DOMAIN`. */
  | { readonly type: "enum-value"; readonly value: string }
  | { readonly type: "set"; readonly value: readonly Value[] }
  | { readonly type: "table"; readonly value: readonly Entry[] }
  | { readonly type: "vector"; readonly value: readonly Value[] };

/** Zeek's strings are bytes. Those that are UTF-8 are text here, all others stay bytes. */
export type Text = string | Uint8Array;
export type Entry = readonly [key: Value, value: Value];
export type PortProtocol = (typeof portProtocols)[number];

/** In the order of their numbers on the wire. */
export const portProtocols = ["?", "tcp", "udp", "icmp"] as const;

/** Values within one another. */
export const maxNesting = 32;
/** Values of one message: each takes more room in memory than on the wire. */
export const maxValues = 262_144;

export const none: Value = Object.freeze({ type: "none" });
export const string = (value: Text): Value => ({ type: "string", value });
export const count = (value: bigint): Value => ({ type: "count", value });
export const vector = (value: readonly Value[]): Value => ({ type: "vector", value });
export const timestamp = (nanoseconds: bigint): Value => ({ type: "timestamp", value: nanoseconds });
export const timespan = (nanoseconds: bigint): Value => ({ type: "timespan", value: nanoseconds });

export const minInt64: bigint = -(2n ** 63n);
export const maxInt64: bigint = 2n ** 63n - 1n;
export const maxUint64: bigint = 2n ** 64n - 1n;

/** Of a string that may be bytes: those that are no UTF-8 become U+FFFD. */
export function readable(text: Text): string {
  return typeof text === "string" ? text : Buffer.from(text).toString();
}
