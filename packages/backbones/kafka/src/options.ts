import { isTimestamp } from "@threatbus/core";
import { z } from "zod";
import { readProperties } from "@threatbus/kafka-client";

const topicName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,200}$/, "a topic has 1 to 200 letters, digits, dots, dashes and underscores")
  .refine((name) => name !== "." && name !== "..", "no topic can have this name");

const createTopics = z.strictObject({
  enabled: z.boolean().default(true).describe("Create topics that are missing. Off, they must be there."),
  partitions: z
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(1)
    .describe("Partitions of a new topic. One keeps the order of everything; with more, of the messages about one STIX object."),
  replication_factor: z.number().int().min(1).max(100).optional().describe("Brokers that keep a new topic. Default: 3, or as many as there are."),
});

const outbox = z.strictObject({
  max_items: z.number().int().min(1).default(10_000).describe("Messages that may wait to be published while the broker is away."),
  max_bytes: z.number().int().min(1).default(67_108_864).describe("Bytes of payload that may wait."),
  overflow: z
    .enum(["block", "drop_oldest", "drop_newest"])
    .default("block")
    .describe("When it is full: publishers wait, or a message is dropped and its publisher told."),
});

const config = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .default({ "bootstrap.servers": "localhost:9092" })
  .superRefine((given, context) => {
    if (!("bootstrap.servers" in given) && !("metadata.broker.list" in given)) context.addIssue({ code: "custom", path: ["bootstrap.servers"], message: "is needed: `host:port` of one or more brokers" });
    for (const { name, message } of readProperties(given).problems) context.addIssue({ code: "custom", path: [name], message });
  });

export const options = z
  .strictObject({
    topic: topicName.default("threatbus").describe("Kafka topic through which all hosts of a bus see each other."),
    topic_per_type: z.boolean().default(false).describe("A Kafka topic for each type of message: `threatbus.stix2.indicator` and so on. All hosts of a bus must agree."),
    group_id: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .describe("Consumer group. Hosts with the same one share the messages. Default: `threatbus-` and the host name."),
    from: z
      .string()
      .refine((from) => from === "latest" || from === "earliest" || isTimestamp(from), { error: "must be latest, earliest or a time such as 2026-01-31T00:00:00Z" })
      .optional()
      .describe("Where a group begins that has never read: `latest`, `earliest`, or a time. Default: `latest`."),
    prefetch: z.number().int().min(1).max(1_000_000).default(2_000).describe("Messages handed out here and not committed. As many come again after a crash."),
    create_topics: createTopics.prefault({}).describe("How topics are made."),
    dead_letter_topic: topicName.optional().describe("Kafka topic for what cannot be understood. Default: such messages are dropped and counted."),
    outbox: outbox.prefault({}).describe("What waits for the broker."),
    config: config.describe("Settings under librdkafka's names: brokers, TLS, SASL, time-outs. One without a counterpart is an error."),
  })
  .superRefine(({ topic, topic_per_type, group_id, from, dead_letter_topic, config: given }, context) => {
    const { groupId, reset } = readProperties(given).properties;
    const clash = (path: string[], message: string): void => context.addIssue({ code: "custom", path, message });
    if (groupId !== undefined && group_id !== undefined && groupId !== group_id) clash(["group_id"], "differs from `group.id` in `config`: give one of them");
    if (reset !== undefined && from !== undefined && reset !== from) clash(["from"], "differs from `auto.offset.reset` in `config`: give one of them");
    if (dead_letter_topic === topic || (topic_per_type && dead_letter_topic?.startsWith(`${topic}.`) === true)) clash(["dead_letter_topic"], "must be no topic that is read");
  });

export type KafkaOptions = z.output<typeof options>;
