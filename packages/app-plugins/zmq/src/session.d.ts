import type { Counter, Message, Subscription } from "@threatbus/core";
import { type Egress } from "./egress.ts";
export interface SessionSetup {
    readonly channel: string;
    /** Whether the app asked for sequence numbers. */
    readonly sequenced: boolean;
    readonly egress: Egress;
    readonly sent: Counter;
    readonly retries: Counter;
}
/** One subscription of an app: what it is sent, and whether it is there to get it. */
export declare class Session {
    #private;
    readonly channel: string;
    constructor(setup: SessionSetup);
    /** Whether an app is connected to the channel. */
    get attached(): boolean;
    get subscription(): Subscription | undefined;
    set subscription(subscription: Subscription);
    attach(): void;
    /** Returns how many messages were sent since the app attached, if it is gone now. */
    detach(): number | undefined;
    /** Ends the subscription: what waits is dropped, and counted by the bus. */
    end(): Promise<void>;
    /** Sends one message once the app is there and has room. Rejects when the session ends before that. */
    readonly handle: (message: Message) => Promise<void>;
}
