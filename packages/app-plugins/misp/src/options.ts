import { z } from "zod";
import { filterOptions } from "./filter/options.ts";
import { mappingOptions } from "./map/options.ts";
import { stateOptions } from "./state/options.ts";

const text = z.string().min(1);
const port = z.number().int().min(1).max(65_535);

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

export const options = z
  .strictObject({
    zmq: zmq.prefault({}).describe("MISP's ZeroMQ publisher."),
    ...filterOptions,
    ...mappingOptions,
    state: stateOptions.prefault({}).describe("What was sent, remembered for removals and value edits."),
    api: api.optional().describe("MISP's REST API. Accepted, not used yet. Default: none."),
    kafka: kafka.optional().describe("MISP's Kafka topics. Not supported yet. Default: none."),
  })
  .refine(({ kafka: given }) => given === undefined, {
    path: ["kafka"],
    error: "Kafka is not supported by this version of the misp plugin: use `zmq`",
  });

export type MispOptions = z.output<typeof options>;
export type ZmqOptions = MispOptions["zmq"];
