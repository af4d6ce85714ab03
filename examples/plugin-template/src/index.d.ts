import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { options } from "./options.ts";
/** Tells tools over TCP what to watch for, and reports what they see. */
export declare const template: AppPlugin<z.input<typeof options>>;
export default template;
export type { TemplateOptions } from "./options.ts";
