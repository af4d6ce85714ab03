import { z } from "zod";

const port = z.number().int().min(1).max(65_535);
const seconds = z.number().min(0.1).max(86_400);
const mebibyte = 1_048_576;

const queue = z.strictObject({
  max_items: z.number().int().min(1).optional().describe("Messages. Default: the bus's, 10,000."),
  max_bytes: z.number().int().min(1).optional().describe("Bytes of payload. Default: the bus's, 64 MiB."),
  overflow: z
    .enum(["drop_oldest", "drop_newest", "conflate", "block", "disconnect"])
    .optional()
    .describe("What happens when it is full. Default: the bus's, `drop_oldest`."),
});

const curve = z.strictObject({
  secret_key_file: z.string().min(1).describe("File with the bus's `public-key = \"…\"` and `secret-key = \"…\"`, mode 0600."),
  authorized_keys_file: z.string().min(1).describe("File with the public keys of the apps to let in, one a line."),
});

export const options = z
  .strictObject({
    host: z.string().min(1).max(255).default("127.0.0.1").describe("Address or name to bind to; `*` is every interface."),
    manage: port.default(13_370).describe("Port for requests: subscribe, unsubscribe, heartbeat."),
    pub: port.default(13_371).describe("Port for messages to apps."),
    sub: port.default(13_372).describe("Port for messages from apps."),
    queue: queue.prefault({}).describe("What may wait for one app that is slow or not there."),
    max_subscriptions: z.number().int().min(1).max(100_000).default(1_000).describe("Subscriptions at one time."),
    max_message_size: z
      .number()
      .int()
      .min(1_024)
      .max(16 * mebibyte)
      .default(mebibyte)
      .describe("Bytes of one message from an app; larger ones end the connection."),
    attach_timeout: seconds.default(30).describe("Seconds an app may take from its subscription to its first connection."),
    grace: seconds.default(60).describe("Seconds a subscription waits for its app to connect again."),
    heartbeat_timeout: seconds
      .default(30)
      .describe("Seconds without a heartbeat after which an app that is not connected is forgotten. Off for apps that never sent one."),
    curve: curve.optional().describe("Encrypts all three ports and lets listed apps in only. Default: off."),
  })
  .refine(({ manage, pub, sub }) => new Set([manage, pub, sub]).size === 3, {
    path: ["pub"],
    error: "manage, pub and sub are three different ports",
  });

export type ZmqOptions = z.output<typeof options>;
