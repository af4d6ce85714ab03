import type { Socket } from "zeromq";
export interface Address {
    /** As ZeroMQ writes it before the port: an IPv6 address in brackets. */
    readonly host: string;
    readonly ipv6: boolean;
    /** Whether only programs of this machine can reach it. */
    readonly loopback: boolean;
}
/** ZeroMQ binds to addresses only; names are looked up, IPv4 first, since apps connect by IPv4 unless told otherwise. */
export declare function resolveHost(host: string): Promise<Address>;
/** @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID`, naming the option to change */
export declare function bind(socket: Socket, { host }: Address, port: number, option: "manage" | "pub" | "sub"): Promise<void>;
