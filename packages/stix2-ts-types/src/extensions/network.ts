/** Predefined extensions of network traffic: STIX 2.1 §6.12. */
import type { Dictionary, Hex, Identifier } from "../common.ts";
import type { NetworkSocketAddressFamily, NetworkSocketType } from "../vocabularies/observable.ts";

/** `http-request-ext`. STIX 2.1 §6.12.2. */
export interface HttpRequestExtension {
  /** In lower case: `get`. */
  readonly request_method: string;
  /** Path and query. */
  readonly request_value: string;
  /** In lower case: `http/1.1`. */
  readonly request_version?: string;
  /** A list for a header that repeats. */
  readonly request_header?: Dictionary<string | readonly string[]>;
  /** Bytes. */
  readonly message_body_length?: number;
  readonly message_body_data_ref?: Identifier<"artifact">;
}

/** `icmp-ext`. STIX 2.1 §6.12.3. */
export interface IcmpExtension {
  readonly icmp_type_hex: Hex;
  readonly icmp_code_hex: Hex;
}

/** `socket-ext`. STIX 2.1 §6.12.4. */
export interface SocketExtension {
  readonly address_family: NetworkSocketAddressFamily;
  readonly is_blocking?: boolean;
  readonly is_listening?: boolean;
  /** Options such as `SO_KEEPALIVE`. */
  readonly options?: Readonly<Partial<Record<SocketOption, number>>>;
  readonly socket_type?: NetworkSocketType;
  /** Not negative. */
  readonly socket_descriptor?: number;
  readonly socket_handle?: number;
}

/** STIX 2.1 §6.12.4.1. */
export type SocketOption = `${"SO" | "ICMP" | "ICMP6" | "IP" | "IPV6" | "MCAST" | "TCP" | "IRLMP"}_${string}`;

/** `tcp-ext`, at least one property: the flags seen in all packets, or-ed. STIX 2.1 §6.12.5. */
export interface TcpExtension {
  readonly src_flags_hex?: Hex;
  readonly dst_flags_hex?: Hex;
}
