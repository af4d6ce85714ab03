import { defineApp } from "@threatbus/core";
import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { createZeek } from "./app.ts";
import { options } from "./options.ts";

/** Gives Zeeks indicators to watch for, and publishes what they saw. */
export const zeek: AppPlugin<z.input<typeof options>> = defineApp({ name: "zeek", options, create: createZeek });
export default zeek;

export type { ZeekOptions } from "./options.ts";
