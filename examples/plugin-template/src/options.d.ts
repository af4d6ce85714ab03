import { z } from "zod";
/** What stands under `plugins.apps.template`. Names are snake_case; descriptions end up in `threatbus init` and `threatbus schema`. */
export declare const options: z.ZodObject<{
    host: z.ZodDefault<z.ZodString>;
    port: z.ZodDefault<z.ZodNumber>;
    max_indicators: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
export type TemplateOptions = z.output<typeof options>;
