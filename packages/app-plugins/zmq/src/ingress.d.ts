import { type Bus, type Host } from "@threatbus/core";
import type { Subscriber } from "zeromq";
/** The `sub` port: takes messages from apps, and publishes what can be understood, in the order it came. */
export declare class Ingress {
    #private;
    constructor(socket: Subscriber, bus: Bus, host: Host);
    start(): void;
    /** Takes in nothing more. */
    stop(): void;
}
