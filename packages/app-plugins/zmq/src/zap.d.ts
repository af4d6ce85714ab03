import type { Context } from "zeromq";
/** Decides which CURVE keys may connect to the sockets of one context, by ZeroMQ's authentication protocol (RFC 27, version 1.0). */
export declare class Gatekeeper {
    #private;
    constructor(context: Context, keys: readonly Buffer[], onRefused: () => void);
    /** To be called before any other socket of the context is bound. */
    start(): Promise<void>;
    stop(): void;
}
