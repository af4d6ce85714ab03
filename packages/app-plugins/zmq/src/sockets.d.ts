import type { Buffer } from "node:buffer";
import { Reply, Subscriber, XPublisher } from "zeromq";
import type { Context } from "zeromq";
import type { KeyPair } from "./keys.ts";
export interface SocketSetup {
    readonly context: Context;
    readonly ipv6: boolean;
    readonly keys: KeyPair | undefined;
}
/** An XPUB socket on which every subscription needs a nod: without one, whoever connects gets nothing. */
export declare class DoorkeptPublisher extends XPublisher {
    /** Lets the peer whose frame was received last have what begins with `prefix`. To be called before the next `receive`. */
    admit(prefix: Buffer): void;
    /** Takes that back. */
    dismiss(prefix: Buffer): void;
}
export declare function openManage(setup: SocketSetup): Reply;
/** Messages that may wait in ZeroMQ for one app. */
export declare function pipeLength(maxMessageSize: number): number;
export declare function openPub(setup: SocketSetup, maxMessageSize: number): DoorkeptPublisher;
export declare function openSub(setup: SocketSetup, maxMessageSize: number): Subscriber;
