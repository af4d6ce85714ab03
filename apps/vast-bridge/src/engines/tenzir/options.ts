import { z } from "zod";
import { fieldOptions } from "../../field-options.ts";

const seconds = z.number().positive().max(86_400);

/** The section `tenzir` of the configuration file. */
export const tenzirOptions = z.strictObject({
  endpoint: z
    .string()
    .regex(/^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(?:[1-9]\d{0,4})$/, { error: "is no host:port, e.g. 127.0.0.1:5158" })
    .default("127.0.0.1:5158")
    .describe("The node, `host:port`."),
  binary: z.string().min(1).default("tenzir").describe("The client, of Tenzir 6; found on PATH if it has no slash."),
  ...fieldOptions,
  thorough: z
    .boolean()
    .default(true)
    .describe("Whether a search for a few looks into lists, text and other spellings, too, which reads every event that has such fields; if not, it asks the node's index for exact values alone."),
  index_up_to: z.int().min(0).max(1_000).default(1_000).describe("Observables of one search that the node's index is asked for; with more, events are read once and looked up in a table."),
  batch: z.int().min(1).max(1_000_000).default(50_000).describe("Observables of one search at most."),
  parallel: z.int().min(1).max(16).default(2).describe("Searches at the same time."),
  call_timeout: seconds.default(30).describe("Seconds that a change of a table, or a question to the node, may take; 10,000 more observables may take as long again."),
  silence: seconds.default(5).describe("Seconds without a sign of life after which the node counts as lost."),
  check_interval: seconds.default(30).describe("Seconds between comparisons of the tables of live matching with what they have to hold."),
  catch_up: z.number().min(0).max(2_592_000).default(3_600).describe("Seconds of events at most that live matching makes good after node or bridge were away."),
});

export type TenzirOptions = z.output<typeof tenzirOptions>;
