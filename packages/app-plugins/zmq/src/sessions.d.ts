import type { Bus, Host } from "@threatbus/core";
import type { Doorkeeper, Egress } from "./egress.ts";
import type { ZmqOptions } from "./options.ts";
import { type Desk, type Wish } from "./requests.ts";
/** All subscriptions of apps, by channel: opened by request, ended by request, by their app's silence or by the bus. */
export declare class Sessions implements Desk, Doorkeeper {
    #private;
    constructor(bus: Bus, host: Host, options: ZmqOptions, egress: Egress);
    subscribe({ topics, days, sequenced }: Wish): Promise<string>;
    unsubscribe(channel: string): boolean;
    heartbeat(channel: string): boolean;
    attach(channel: string): boolean;
    detach(channel: string): void;
    /** Ends the sessions whose app stays away. One that is connected lives on without heartbeats. */
    sweep(): void;
    /** The bus stops: who is not connected soon gets nothing any more. */
    dismiss(): Promise<void>;
}
