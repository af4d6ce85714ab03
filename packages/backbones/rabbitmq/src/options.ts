import { z } from "zod";

const name = z.string().min(1).max(200);
const port = z.number().int().min(1).max(65_535);
const file = z.string().min(1);

const exchange = z.strictObject({
  durable: z
    .boolean()
    .optional()
    .describe("Whether it outlives a restart of the broker. `false` shares it with hosts of the Python Threat Bus. Default: true, or as it is if it exists."),
});

const queue = z.strictObject({
  name_suffix: z.string().max(120).optional().describe("Tells this host's queue from those of others. Default: the host name."),
  name_join_symbol: z.string().max(20).default(".").describe("Stands between `threatbus` and the suffix."),
  type: z.enum(["classic", "quorum"]).default("classic").describe("`quorum` is replicated in a cluster, and always durable."),
  durable: z.boolean().default(true).describe("Keep the queue over a restart of the broker."),
  auto_delete: z.boolean().default(false).describe("Delete the queue when this host leaves; what comes meanwhile is lost to it."),
  exclusive: z.boolean().default(false).describe("Bind the queue to one connection; it goes with it."),
  lazy: z.boolean().default(true).describe("Keep what waits on disk. Only for classic queues of brokers before 3.12; later ones always do."),
  max_items: z.number().int().min(0).default(0).describe("Messages that may wait in the broker. 0: any number."),
  overflow: z
    .enum(["drop_head", "reject_publish"])
    .default("drop_head")
    .describe("When `max_items` wait: drop the oldest, or make all publishers wait for this host."),
  dead_letter_exchange: name
    .optional()
    .describe("Exchange for what cannot be understood. Made, with a queue of its name, if there is none. Default: such messages are dropped and counted."),
});

const tls = z
  .strictObject({
    ca_file: file.optional().describe("PEM file of the authority that signed the broker's certificate. Default: those Node trusts."),
    cert_file: file.optional().describe("PEM file with this host's certificate, for brokers that ask for one. Default: none."),
    key_file: file.optional().describe("PEM file with its key. Default: none."),
    server_name: name.optional().describe("Name the broker's certificate must have. Default: `host`."),
    verify: z.boolean().default(true).describe("Check the broker's certificate. Off, anyone on the way can read and change everything."),
  })
  .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), { path: ["key_file"], error: "cert_file and key_file belong together" });

const outbox = z.strictObject({
  max_items: z.number().int().min(1).default(10_000).describe("Messages that may wait to be published while the broker is away."),
  max_bytes: z.number().int().min(1).default(67_108_864).describe("Bytes of payload that may wait."),
  overflow: z
    .enum(["block", "drop_oldest", "drop_newest"])
    .default("block")
    .describe("When it is full: publishers wait, or a message is dropped and its publisher told."),
});

export const options = z
  .strictObject({
    host: z.string().min(1).max(255).default("localhost").describe("Host of the broker."),
    port: port.default(5_672).describe("Its AMQP port; with `tls` usually 5671."),
    username: z.string().default("guest").describe("User of the broker. `guest` may connect from the broker's own machine only."),
    password: z.string().default("guest").describe("The user's password."),
    vhost: z.string().min(1).max(255).default("/").describe("Virtual host."),
    exchange_name: name.default("threatbus").describe("Fanout exchange through which all hosts of a bus see each other."),
    exchange: exchange.prefault({}).describe("The exchange."),
    queue: queue.prefault({}).describe("This host's queue."),
    tls: tls.optional().describe("Encrypts the connection; `{}` is enough if the certificate is of a known authority. Default: off."),
    prefetch: z.number().int().min(1).max(65_535).default(500).describe("Messages the broker hands out before the first is acknowledged."),
    publish_window: z.number().int().min(1).max(100_000).default(1_000).describe("Messages under way to the broker at one time."),
    heartbeat: z.number().int().min(1).max(5).default(5).describe("Seconds between signs of life. A cut connection is noticed after two to three times as long."),
    connect_timeout: z.number().min(0.1).max(60).default(5).describe("Seconds a connection may take to stand."),
    outbox: outbox.prefault({}).describe("What waits for the broker."),
  })
  .refine(({ queue: { type, durable, exclusive, auto_delete } }) => type !== "quorum" || (durable && !exclusive && !auto_delete), {
    path: ["queue", "type"],
    error: "a quorum queue is durable, and neither exclusive nor auto_delete",
  });

export type RabbitmqOptions = z.output<typeof options>;
