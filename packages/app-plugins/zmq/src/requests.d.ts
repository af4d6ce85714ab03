/** Bytes of one request. */
export declare const maxRequestSize = 65536;
export interface Wish {
    readonly topics: readonly string[];
    /** Of history. */
    readonly days: number;
    readonly sequenced: boolean;
}
/** Where requests are carried out. */
export interface Desk {
    /** Returns the new channel. @throws RequestRefused, or anything: the app hears that it failed */
    subscribe(wish: Wish): Promise<string>;
    /** These return whether the channel exists. */
    unsubscribe(channel: string): boolean;
    heartbeat(channel: string): boolean;
}
export type Reply = Readonly<Record<string, unknown>> & {
    readonly status: "success" | "error" | "unknown request";
};
/** A request that cannot be met. Its message goes to the app: it repeats nothing that was sent. */
export declare class RequestRefused extends Error {
}
/** The reply to a request: always one, whatever came. */
export declare function answer(frames: readonly Uint8Array[], desk: Desk, ports: {
    readonly pub: number;
    readonly sub: number;
}): Promise<Reply>;
