import { defineApp } from "@threatbus/core";
import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { createZmq } from "./app.ts";
import { options } from "./options.ts";

/** Lets programs subscribe and publish over ZeroMQ. */
export const zmq: AppPlugin<z.input<typeof options>> = defineApp({ name: "zmq", options, create: createZmq });
export default zmq;

export type { ZmqOptions } from "./options.ts";
export { createKeyFile } from "./keys.ts";
