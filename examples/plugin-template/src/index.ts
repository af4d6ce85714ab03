import { defineApp } from "@threatbus/core";
import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { createTemplate } from "./app.ts";
import { options } from "./options.ts";

/** Tells tools over TCP what to watch for, and reports what they see. */
export const template: AppPlugin<z.input<typeof options>> = defineApp({ name: "template", options, create: createTemplate });
export default template;

export type { TemplateOptions } from "./options.ts";
