import type { App, Host } from "@threatbus/core";
import type { ZmqOptions } from "./options.ts";
export declare function createZmq(options: ZmqOptions, host: Host): App;
