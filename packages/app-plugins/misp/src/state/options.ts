import { z } from "zod";

/** What is remembered of what was sent. */
export const stateOptions = z.strictObject({
  path: z
    .string()
    .min(1)
    .optional()
    .describe("File that keeps the memory, and sightings that wait for MISP, across restarts; a relative path begins at the working directory. Each MISP needs its own. Default: none, the memory ends with the process."),
  max_items: z
    .number()
    .int()
    .min(1)
    .max(50_000_000)
    .default(1_000_000)
    .describe("Attributes to remember, for removals and value edits, at most 300 bytes each in memory and on disk. The longest untouched goes first."),
});

export type StateOptions = z.output<typeof stateOptions>;
