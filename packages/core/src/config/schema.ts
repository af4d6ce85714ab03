import { z } from "zod";

const verbosity: z.ZodEnum<{ DEBUG: "DEBUG"; INFO: "INFO"; WARNING: "WARNING"; ERROR: "ERROR"; CRITICAL: "CRITICAL" }> = z.enum([
  "DEBUG",
  "INFO",
  "WARNING",
  "ERROR",
  "CRITICAL",
]);

export interface LoggingConfig {
  readonly console: boolean;
  readonly console_verbosity: Verbosity;
  readonly file: boolean;
  readonly file_verbosity: Verbosity;
  readonly filename: string;
}
type Verbosity = z.output<typeof verbosity>;

/** The section `logging`, as every program of Threat Bus has it. */
export function loggingSchema(filename: string): z.ZodType<LoggingConfig> {
  return z
    .strictObject({
      console: z.boolean().default(true).describe("Log to standard error."),
      console_verbosity: verbosity.default("INFO").describe("Least severity shown there: DEBUG, INFO, WARNING, ERROR or CRITICAL."),
      file: z.boolean().default(false).describe("Log to a file too."),
      file_verbosity: verbosity.default("INFO").describe("Least severity written there."),
      filename: z.string().min(1).default(filename).describe("The log file, from the working directory."),
    })
    .prefault({})
    .describe("What is logged, and where to.");
}

const metrics = z
  .strictObject({
    host: z.string().min(1).default("127.0.0.1").describe("Address to listen on."),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .meta({ description: "Port to listen on.", examples: [9_100] }),
  })
  .optional()
  .describe("Figures for Prometheus on http://host:port/metrics. Off unless given.");

const queue = z
  .strictObject({
    max_items: z.int().min(1).default(10_000).describe("Messages a subscription may hold while its receiver is busy."),
    max_bytes: z.int().min(1).default(67_108_864).describe("Bytes of payload a subscription may hold."),
    overflow: z
      .enum(["drop_oldest", "drop_newest", "conflate", "block", "disconnect"])
      .default("drop_oldest")
      .describe("What happens when one is full: drop_oldest, drop_newest, conflate, block or disconnect."),
    ack_hold: z
      .number()
      .min(0)
      .max(86_400)
      .default(30)
      .describe("Seconds a message from a broker may wait unacknowledged for a slow receiver."),
  })
  .prefault({})
  .describe("Limits of every subscription that sets none of its own.");

const pluginSections = z.record(z.string(), z.unknown()).default({});

/** The file, but for the options of plugins: each plugin has the schema of its own. */
const schema = z.strictObject({
  logging: loggingSchema("threatbus.log"),
  metrics,
  queue,
  shutdown_timeout: z
    .number()
    .min(0)
    .max(86_400)
    .default(10)
    .describe("Seconds the bus may take to deliver what is waiting when it stops."),
  plugins: z
    .strictObject({
      backbones: pluginSections.describe("Backbones move messages. At least one; every message goes to each."),
      apps: pluginSections.describe("Apps connect tools."),
    })
    .describe("Plugins to load, by name. The value holds the plugin's options; none is the same as {}."),
});

export type ConfigFile = z.output<typeof schema>;
export type MetricsConfig = NonNullable<ConfigFile["metrics"]>;

export const configSchema: z.ZodType<ConfigFile> = schema;

/** Names of the top level. */
export const topLevelNames: readonly string[] = Object.keys(schema.shape);
