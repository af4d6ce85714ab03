import type { Buffer } from "node:buffer";
import type { Clock } from "@threatbus/core";
import type { DoorkeptPublisher } from "./sockets.ts";
/** Told which channels apps connect to. */
export interface Doorkeeper {
    /** Returns whether the channel exists. */
    attach(channel: string): boolean;
    detach(channel: string): void;
}
/** The `pub` port: sends frames, and lets an app have the channel it was given and nothing else. */
export declare class Egress {
    #private;
    constructor(socket: DoorkeptPublisher, clock: Clock);
    start(doorkeeper: Doorkeeper): void;
    /** Rejects at once with `EAGAIN` when the app's pipe is full. The frames belong to the socket from here on. */
    send(frames: Buffer | Buffer[]): Promise<void>;
    /** Waits until a full pipe may have room; longer with every attempt in a row. */
    room(attempt: number): Promise<void>;
    /** What was handed over leaves in the background, for a while. */
    stop(): Promise<void>;
}
export declare function isFull(thrown: unknown): boolean;
