import type { Host } from "@threatbus/core";
import type { Reply as ReplySocket } from "zeromq";
import { type Desk } from "./requests.ts";
/** The `manage` port: answers requests one at a time, each exactly once, until it is closed. */
export declare function serveManage(socket: ReplySocket, desk: Desk, ports: {
    readonly pub: number;
    readonly sub: number;
}, host: Host): Promise<void>;
