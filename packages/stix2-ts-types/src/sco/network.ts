/** Addresses and traffic: STIX 2.1 §6. */
import type { Dictionary, Identifier, ObservableProperties, Timestamp } from "../common.ts";
import type { Extensions } from "../extensions/extension.ts";
import type { HttpRequestExtension, IcmpExtension, SocketExtension, TcpExtension } from "../extensions/network.ts";

/** STIX 2.1 §6.2. */
export interface AutonomousSystem extends ObservableProperties<"autonomous-system"> {
  readonly number: number;
  readonly name?: string;
  /** Regional Internet registry that assigned the number. */
  readonly rir?: string;
}

/** STIX 2.1 §6.4. */
export interface DomainName extends ObservableProperties<"domain-name"> {
  readonly value: string;
  /** @deprecated by the standard in favour of a `resolves-to` relationship. */
  readonly resolves_to_refs?: readonly Identifier<"domain-name" | "ipv4-addr" | "ipv6-addr">[];
}

/** STIX 2.1 §6.8. */
export interface Ipv4Address extends ObservableProperties<"ipv4-addr"> {
  /** One address, or a network in CIDR notation. */
  readonly value: string;
  /** @deprecated by the standard in favour of a `resolves-to` relationship. */
  readonly resolves_to_refs?: readonly Identifier<"mac-addr">[];
  /** @deprecated by the standard in favour of a `belongs-to` relationship. */
  readonly belongs_to_refs?: readonly Identifier<"autonomous-system">[];
}

/** STIX 2.1 §6.9. */
export interface Ipv6Address extends ObservableProperties<"ipv6-addr"> {
  /** One address, or a network in CIDR notation. */
  readonly value: string;
  /** @deprecated by the standard in favour of a `resolves-to` relationship. */
  readonly resolves_to_refs?: readonly Identifier<"mac-addr">[];
  /** @deprecated by the standard in favour of a `belongs-to` relationship. */
  readonly belongs_to_refs?: readonly Identifier<"autonomous-system">[];
}

/** STIX 2.1 §6.10. */
export interface MacAddress extends ObservableProperties<"mac-addr"> {
  /** Lower case, colons, leading zeros: `d2:fb:49:24:37:18`. */
  readonly value: string;
}

/** Either end of network traffic. */
export type NetworkEndpointRef = Identifier<"domain-name" | "ipv4-addr" | "ipv6-addr" | "mac-addr">;

/** Packets from a source, to a destination, or both. STIX 2.1 §6.12. */
export type NetworkTraffic = NetworkTrafficProperties & (FromSource | ToDestination);

interface NetworkTrafficProperties extends ObservableProperties<"network-traffic"> {
  readonly extensions?: NetworkTrafficExtensions;
  readonly start?: Timestamp;
  /** Not earlier than `start`. Given only if `is_active` is `false`. */
  readonly end?: Timestamp;
  /** Still going on. */
  readonly is_active?: boolean;
  readonly src_ref?: NetworkEndpointRef;
  readonly dst_ref?: NetworkEndpointRef;
  /** 0 to 65,535. */
  readonly src_port?: number;
  /** 0 to 65,535. */
  readonly dst_port?: number;
  /** From the outermost to the innermost: `ipv4`, `tcp`, `http`. Service names of the IANA registry, in lower case. */
  readonly protocols: readonly string[];
  readonly src_byte_count?: number;
  readonly dst_byte_count?: number;
  readonly src_packets?: number;
  readonly dst_packets?: number;
  /** IP Flow Information Export elements by their IANA names. */
  readonly ipfix?: Dictionary<string | number>;
  readonly src_payload_ref?: Identifier<"artifact">;
  readonly dst_payload_ref?: Identifier<"artifact">;
  readonly encapsulates_refs?: readonly Identifier<"network-traffic">[];
  readonly encapsulated_by_ref?: Identifier<"network-traffic">;
}
interface FromSource {
  readonly src_ref: NetworkEndpointRef;
}
interface ToDestination {
  readonly dst_ref: NetworkEndpointRef;
}

/** STIX 2.1 §6.12.2 to §6.12.5. */
export interface NetworkTrafficExtensions extends Extensions {
  readonly "http-request-ext"?: HttpRequestExtension;
  readonly "icmp-ext"?: IcmpExtension;
  readonly "socket-ext"?: SocketExtension;
  readonly "tcp-ext"?: TcpExtension;
}

/** STIX 2.1 §6.15. */
export interface Url extends ObservableProperties<"url"> {
  /** RFC 3986. */
  readonly value: string;
}
