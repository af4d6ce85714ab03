import { readProperties } from "@threatbus/kafka-client";
import { z } from "zod";
import { filterOptions } from "./filter/options.ts";
import { mappingOptions } from "./map/options.ts";
import { stateOptions } from "./state/options.ts";

const text = z.string().min(1);
/** ZeroMQ RFC 24 has one byte for its length. */
const credential = z.string().refine((value) => Buffer.byteLength(value) <= 255, { error: "is longer than 255 bytes" });
const port = z.number().int().min(1).max(65_535);

/** Topics of MISP's ZeroMQ publisher (app/files/scripts/mispzmq/mispzmq.py) that mean something here. */
export const feedTopics = ["misp_json_attribute", "misp_json", "misp_json_event", "misp_json_tag", "misp_json_sighting"] as const;

const zmq = z
  .strictObject({
    host: text.default("localhost").describe("Host of MISP's ZeroMQ publisher (`Plugin.ZeroMQ_host`)."),
    port: port.default(50_000).describe("Its port (`Plugin.ZeroMQ_port`)."),
    username: credential.min(1).optional().describe("User of ZeroMQ PLAIN (`Plugin.ZeroMQ_username`). Default: no authentication."),
    password: credential.optional().describe("Password of ZeroMQ PLAIN (`Plugin.ZeroMQ_password`). Default: no authentication."),
    topics: z
      .array(z.enum(feedTopics))
      .min(1)
      .default(["misp_json_attribute"])
      .describe("What to listen to: `misp_json_attribute`, `misp_json` (published events), `misp_json_event`, `misp_json_tag`, `misp_json_sighting`. Each is a switch in MISP, too."),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: "username and password belong together",
  });

const kafka = z.strictObject({
  topics: z.array(text.regex(/^[a-zA-Z0-9._-]{1,249}$/, "a topic has 1 to 249 letters, digits, dots, dashes and underscores")).min(1).default(["misp_attribute"]).describe("Kafka topics that MISP writes to (`Plugin.Kafka_…_topic`); of attributes, published events, events, tags or sightings."),
  poll_interval: z.number().min(0).default(1).describe("Accepted, for files of the Python Threat Bus; records come when they are there."),
  config: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({ "bootstrap.servers": "localhost:9092", "group.id": "threatbus", "auto.offset.reset": "earliest" })
    .superRefine((given, context) => {
      if (!("bootstrap.servers" in given) && !("metadata.broker.list" in given)) context.addIssue({ code: "custom", path: ["bootstrap.servers"], message: "is needed: `host:port` of one or more brokers" });
      for (const { name, message } of readProperties(given).problems) context.addIssue({ code: "custom", path: [name], message });
    })
    .describe("Settings under librdkafka's names: brokers, group, TLS, SASL. One without a counterpart is an error."),
});

const api = z.strictObject({
  host: text
    .refine((url) => URL.canParse(url) && /^https?:$/.test(new URL(url).protocol) && new URL(url).username === "", { error: "is no http:// or https:// address, or one with a user in it" })
    .describe("Address of MISP's web interface."),
  ssl: z.boolean().default(true).describe("Check the server's certificate."),
  key: text.regex(/^[\x21-\x7e]+$/, "has characters no key has").describe("MISP API key; `MISP_API_KEY` in the environment beats it."),
  ca_file: text.optional().describe("PEM file with the authority of MISP's certificate. Default: the authorities Node knows."),
  key_header: z.enum(["Authorization", "X-MISP-AUTH"]).default("Authorization").describe("Header that carries the key; `X-MISP-AUTH` where a proxy needs the other."),
  timeout: z.number().min(0.1).max(3_600).default(60).describe("Seconds MISP may be silent while it answers."),
  page_size: z.number().int().min(2).max(100_000).default(1_000).describe("Attributes to ask for at a time."),
  poll_interval: z.number().min(1).max(86_400).default(300).describe("Seconds between questions for what changed: what the feed missed, or, without one, everything."),
  cache_ttl: z.number().min(0).max(86_400).default(300).describe("Seconds the tags of an event are known before they are asked for again."),
});

const sightings = z.strictObject({
  report: z.boolean().default(true).describe("Report sightings on the bus to MISP, if there is an `api`."),
  source: text.max(100).default("Threat Bus").describe("How they begin in MISP; the tool's name follows in parentheses. What comes back and begins so is our own."),
});

export const options = z
  .strictObject({
    zmq: zmq.optional().describe("MISP's ZeroMQ publisher. Default: none."),
    kafka: kafka.optional().describe("MISP's Kafka topics, in place of `zmq`. Default: none."),
    api: api.optional().describe("MISP's REST API, for history, tags of events, what the feed missed, and sightings. Default: none."),
    ...filterOptions,
    ...mappingOptions,
    sightings: sightings.prefault({}).describe("Sightings from the bus to MISP."),
    state: stateOptions.prefault({}).describe("What was sent, remembered for removals and value edits."),
  })
  .refine(({ zmq: one, kafka: other }) => one === undefined || other === undefined, { path: ["kafka"], error: "the feed is `zmq` or `kafka`, not both" })
  .refine(({ zmq: one, kafka: other, api: rest }) => one !== undefined || other !== undefined || rest !== undefined, { error: "needs `zmq`, `kafka` or `api`: where MISP is" });

export type MispOptions = z.output<typeof options>;
export type ZmqOptions = NonNullable<MispOptions["zmq"]>;
export type KafkaOptions = NonNullable<MispOptions["kafka"]>;
export type ApiOptions = NonNullable<MispOptions["api"]>;
