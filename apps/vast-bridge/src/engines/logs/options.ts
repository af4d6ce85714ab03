import { z } from "zod";
import { fieldOptions } from "../../field-options.ts";

/** The section `logs` of the configuration file. */
export const logsOptions = z.strictObject({
  files: z
    .array(z.string().min(1).max(4_096))
    .min(1)
    .max(1_000)
    .default(["/var/log/suricata/eve*.json*", "/opt/zeek/logs/current/*.log", "/opt/zeek/logs/*/*.log.gz"])
    .describe("Files with one JSON object a line: `*`, `?`, `[a-z]`, `{a,b}`, and `**` for any folders. All are searched, `.gz` too; those without `.gz` are watched."),
  ...fieldOptions,
  start: z.enum(["end", "beginning"]).default("end").describe("Where watching begins in a file that was there before the first start: later ones go on where the last ended."),
  poll_interval: z.number().min(0.01).max(3_600).default(0.25).describe("Seconds between looks at the files that are watched."),
  max_line: z.int().min(65_536).max(67_108_864).default(1_048_576).describe("Bytes of a line; longer ones are left out."),
  batch: z.int().min(1).max(1_000_000).default(100_000).describe("Observables of one search at most; a search reads all files once."),
  parallel: z.int().min(1).max(16).default(2).describe("Searches at the same time."),
});

export type LogsOptions = z.output<typeof logsOptions>;
