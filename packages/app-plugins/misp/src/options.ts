import { z } from "zod";

const text = z.string().min(1);
const port = z.number().int().min(1).max(65_535);

const filterEntry = z.strictObject({
  orgs: z
    .array(z.union([text, z.number().int()]))
    .default([])
    .describe("Creator organisations: id (number or string), UUID or name. Empty: all."),
  types: z.array(text).default([]).describe("MISP attribute types, e.g. `ip-dst`. Empty: all."),
  tags: z.array(text).default([]).describe("Attribute tags; `tlp:` tags compare without regard to case. Empty: all."),
});

const zmq = z
  .strictObject({
    host: text.default("localhost").describe("Host of MISP's ZeroMQ publisher (`Plugin.ZeroMQ_host`)."),
    port: port.default(50_000).describe("Its port (`Plugin.ZeroMQ_port`)."),
    username: text.optional().describe("User of ZeroMQ PLAIN (`Plugin.ZeroMQ_username`). Default: no authentication."),
    password: z.string().optional().describe("Password of ZeroMQ PLAIN (`Plugin.ZeroMQ_password`). Default: no authentication."),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: "username and password belong together",
  });

const api = z.strictObject({
  host: text.describe("URL of MISP's REST API."),
  ssl: z.boolean().describe("Check the server's certificate."),
  key: z.string().describe("MISP API key; `MISP_API_KEY` in the environment beats it."),
});

const kafka = z.strictObject({
  topics: z.array(text).describe("Kafka topics with MISP attributes."),
  poll_interval: z.number().describe("Seconds between polls."),
  config: z.record(z.string(), z.unknown()).describe("Settings of the Kafka client."),
});

const state = z.strictObject({
  max_items: z
    .number()
    .int()
    .min(1)
    .default(1_000_000)
    .describe("Attributes to remember for removals and value edits, about 0.5 KB each. The longest untouched goes first."),
});

export const options = z
  .strictObject({
    zmq: zmq.prefault({}).describe("MISP's ZeroMQ publisher."),
    filter: z.array(filterEntry).default([]).describe("An attribute passes if it passes any entry. Empty: all pass."),
    state: state.prefault({}).describe("What was sent, held in memory."),
    api: api.optional().describe("MISP's REST API. Accepted, not used yet. Default: none."),
    kafka: kafka.optional().describe("MISP's Kafka topics. Not supported yet. Default: none."),
  })
  .refine(({ kafka: given }) => given === undefined, {
    path: ["kafka"],
    error: "Kafka is not supported by this version of the misp plugin: use `zmq`",
  });

export type MispOptions = z.output<typeof options>;
export type ZmqOptions = MispOptions["zmq"];
export type FilterEntry = MispOptions["filter"][number];
