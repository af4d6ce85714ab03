import { z } from "zod";

/** What stands under `plugins.apps.template`. Names are snake_case; descriptions end up in `threatbus init` and `threatbus schema`. */
export const options = z.strictObject({
  host: z.string().min(1).default("127.0.0.1").describe("Address to listen on for tools."),
  port: z.number().int().min(1).max(65_535).default(13_400).describe("Port to listen on."),
  max_indicators: z.number().int().min(1).default(1_000_000).describe("Indicators to remember; the one known longest goes first."),
});

export type TemplateOptions = z.output<typeof options>;
