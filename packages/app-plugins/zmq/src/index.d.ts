import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { options } from "./options.ts";
/** Lets programs subscribe and publish over ZeroMQ. */
export declare const zmq: AppPlugin<z.input<typeof options>>;
export default zmq;
export type { ZmqOptions } from "./options.ts";
export { createKeyFile } from "./keys.ts";
