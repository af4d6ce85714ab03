/** The configuration file: the keys of the reference, and more. */
import { loggingSchema } from "@threatbus/core/config";
import { z } from "zod";
import { splitCommand } from "./command.ts";
import { logsOptions } from "./engines/logs/options.ts";
import { tenzirOptions } from "./engines/tenzir/options.ts";
import { releases } from "./engines/vast/argv.ts";

const endpoint = z.string().regex(/^(?:\[[0-9a-fA-F:.]+\]|[\w.-]{1,253}):\d{1,5}$/, { error: "is no host:port" });

const command = z.string().max(4_096).superRefine((text, context) => {
  try {
    splitCommand(text);
  } catch (thrown) {
    context.addIssue({ code: "custom", message: `is no command: ${(thrown as Error).message}` });
  }
});

const seconds = z.number().min(0).max(10 * 366 * 86_400);

const metrics = z
  .strictObject({
    filename: z.string().min(1).optional().describe("File for lines of InfluxDB's line protocol, as the reference wrote them; `metrics.log` if only `interval` is given."),
    interval: z.number().min(0.1).max(86_400).optional().describe("Seconds between two lines; 10 if only `filename` is given."),
    host: z.string().min(1).default("127.0.0.1").describe("Address for `/metrics` (Prometheus) and `/healthz`."),
    port: z.int().min(1).max(65_535).optional().describe("Their port. Off unless given."),
  })
  .prefault({});

const dedup = z
  .strictObject({
    window: seconds.default(0).describe("Seconds in which sightings of one indicator and value become one, told again with `count` at the end. 0: every event is one."),
    fields: z.array(z.string().min(1).max(256)).max(16).default([]).describe("Fields of the event that must be alike too: `src_ip`, `id.orig_h`."),
  })
  .prefault({});

const config = z
  .strictObject({
    logging: loggingSchema("vast-threatbus.log"),
    metrics,
    engine: z.enum(["vast", "tenzir", "logs"]).default("vast").describe("What searches: `vast`, `tenzir` or `logs` (files, no database)."),
    threatbus: endpoint.default("localhost:13370").describe("The bus: host and management port."),
    snapshot: z.int().min(0).max(3_650).default(30).describe("Days of history to ask the bus for."),
    retro_match: z.boolean().default(true).describe("Search the past for every new indicator."),
    live_match: z.boolean().default(false).describe("Watch for every indicator from then on."),
    retro_match_max_events: z.int().min(0).max(1_000_000_000).default(0).describe("Events reported of one search for one value. 0: all."),
    retro_match_timeout: z.number().min(0.1).max(86_400).default(3_600).describe("Seconds for one search; what it found until then is reported."),
    retro_match_lookback: seconds.default(0).describe("Seconds to look back, with engines that can. 0: all."),
    retro_match_again: seconds.default(86_400).describe("Seconds after which a value that a further indicator names is searched for again."),
    max_background_tasks: z.int().min(1).max(10_000).default(500).describe("Processes of the engine `vast` at the same time."),
    transform_context: command.optional().describe("A command each event goes through before it is reported, e.g. `fever alertify --ioc %ioc`."),
    sink: z.union([z.literal("STDOUT"), command]).optional().describe("Where events go in place of the bus: `STDOUT`, or a command that reads one."),
    command_timeout: z.number().min(0.1).max(3_600).default(30).describe("Seconds for one run of `transform_context` or `sink`."),
    command_parallel: z.int().min(1).max(256).default(4).describe("Runs of them at the same time."),
    dedup,
    lifetime: seconds.default(0).describe("Seconds an indicator without `valid_until` counts from its `valid_from`. 0: for ever."),
    allow: z.array(z.string().min(1).max(4_096)).max(1_000_000).default([]).describe("What is never matched: addresses, blocks, domains with all below them, other values."),
    manual_labels: z.array(z.string().min(1)).max(100).default(["manual"]).describe("Indicators with one of these labels are searched for first."),
    state_dir: z.string().min(1).default("vast-threatbus.state").describe("Folder for what must outlive the process."),
    shutdown_timeout: z.number().min(0).max(3_600).default(10).describe("Seconds to finish what is under way when it is told to stop."),
    vast: z.union([z.literal(""), endpoint]).default("localhost:42000").describe("VAST: host and port."),
    vast_binary: z.string().min(1).max(4_096).default("vast").describe("VAST's program."),
    vast_release: z.enum(releases).default("2022.05.16").describe("Whose command lines to use: `2022.05.16` or `2021.02.24`."),
    matcher_name: z.string().regex(/^[\w.][\w.-]{0,99}$/, { error: "is no name for a matcher: letters, digits, - _ ." }).optional().describe("VAST's matcher; required to match live with `2022.05.16`."),
    tenzir: tenzirOptions.prefault({}),
    logs: logsOptions.prefault({}),
  })
  .superRefine(({ live_match: live, retro_match: retro, engine, vast_release: release, matcher_name: matcher }, context) => {
    if (!live && !retro) context.addIssue({ code: "custom", path: ["retro_match"], message: "there is nothing to do: set retro_match or live_match, or both" });
    if (live && engine === "vast" && release !== "2021.02.24" && matcher === undefined) {
      context.addIssue({ code: "custom", path: ["matcher_name"], message: "is required to match live: the name of a matcher of VAST" });
    }
  });

export type BridgeConfig = z.output<typeof config>;
export const schema: z.ZodType<BridgeConfig> = config;
