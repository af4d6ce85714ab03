import type { Host } from "@threatbus/core";
/** Counts what apps sent in vain, and says so now and then: a broken app must not fill the log. */
export declare class Refusals {
    #private;
    constructor(host: Host);
    /** @param reason one word of a closed set @param detail the bus's own words */
    add(reason: string, detail?: string): void;
}
