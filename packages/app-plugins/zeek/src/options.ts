import { z } from "zod";
import { zoneOf } from "./wire/time.ts";

const mebibyte = 1_048_576;
const text = z.string().min(1).max(4_096);
const hostName = z.string().min(1).max(255);
const port = z.number().int().min(1).max(65_535);
const seconds = z.number().min(0.1).max(86_400);

const queue = z.strictObject({
  max_items: z.number().int().min(1).optional().describe("Messages. Default: the bus's, 10,000."),
  max_bytes: z.number().int().min(1).optional().describe("Bytes of payload. Default: the bus's, 64 MiB."),
  overflow: z
    .enum(["drop_oldest", "drop_newest", "conflate", "block", "disconnect"])
    .optional()
    .describe("What happens when it is full. Default: the bus's, `drop_oldest`."),
});

const tls = z
  .strictObject({
    certificate_file: text.optional().describe("PEM file with this side's certificate. With it, Zeeks need one too. Default: none."),
    key_file: text.optional().describe("PEM file with its private key. Default: none."),
    ca_file: text.optional().describe("PEM file with the CA that the other side's certificate is checked against. Default: none."),
  })
  .refine(({ certificate_file, key_file }) => (certificate_file === undefined) === (key_file === undefined), { error: "certificate_file and key_file belong together" })
  .refine(({ certificate_file, ca_file }) => certificate_file === undefined || ca_file !== undefined, { error: "a certificate needs ca_file, to check that of the other side" });

const peer = z.strictObject({
  host: hostName.describe("Host of a Zeek that listens for native peers (`Broker::listen`)."),
  port: port.default(9_999).describe("Its port."),
  tls: z.enum(["anonymous", "certificates", "off"]).default("anonymous").describe("`anonymous` (as Zeek comes), `certificates` (those of `tls`) or `off`."),
});

const zone = z.string().min(1).max(64).refine((name) => {
  try {
    return zoneOf(name) !== undefined;
  } catch {
    return false;
  }
}, { error: "is no time zone of the IANA database, e.g. Europe/Berlin" });

const websocket = z.strictObject({
  url: z
    .string()
    .max(2_048)
    .refine((url) => /^wss?:\/\/[^/?#@\s]+(?:\/v1\/messages\/json)?\/?$/.test(url) && URL.canParse(url), { error: "is no ws://host:port or wss://host:port" })
    .describe("URL of a Zeek's WebSocket server; the path `/v1/messages/json` need not be written."),
  tls: z.enum(["verified", "anonymous"]).default("verified").describe("Of `wss:` — `verified` (with `tls.ca_file`, if set) or `anonymous` (as Zeek 5.0 to 7.1 comes)."),
  time_zone: zone.default("UTC").describe("Local time zone of that Zeek's machine; matters before Zeek 8.0 alone."),
  max_rate: z.number().int().min(0).max(1_000_000).default(2_000).describe("Events per second at most; 0 for no limit. Zeek's servers cut off who is too fast."),
});

const bridge = z.strictObject({
  host: hostName.default("127.0.0.1").describe("Address to listen on for WebSocket bridges (`websocat`) that Zeeks are behind."),
  port: port.describe("Port to listen on."),
  time_zone: zone.default("UTC").describe("As for `websocket`."),
  max_rate: z.number().int().min(0).max(1_000_000).default(2_000).describe("As for `websocket`."),
});

export const options = z
  .strictObject({
    host: hostName.default("127.0.0.1").describe("Address to listen on for Zeeks that peer natively."),
    port: port.default(47_761).describe("Port to listen on."),
    listen: z.boolean().default(true).describe("Listen for native peers at all."),
    module_namespace: z.string().regex(/^[A-Za-z_]\w{0,63}$/).default("Tenzir").describe("Module of the events in Zeek's script."),
    management_topic: z.string().min(1).max(255).default("threatbus/manage").describe("Topic of subscriptions; `management_topic` in Zeek's script."),
    sighting_topic: z.string().min(1).max(255).default("stix2/sighting").describe("Topic of sightings; `sighting_topic` in Zeek's script."),
    tls: tls.prefault({}).describe("Certificates for native peers and `wss:`. Without, native TLS is anonymous."),
    peers: z.array(peer).max(1_000).default([]).describe("Zeeks to dial natively."),
    websocket: z.array(websocket).max(1_000).default([]).describe("Zeeks to connect to over WebSocket."),
    bridge: bridge.optional().describe("WebSocket server for bridges. Default: off."),
    queue: queue.prefault({}).describe("What may wait for one Zeek that is slow or away."),
    snapshot_rate: z.number().int().min(0).max(1_000_000).default(2_000).describe("Events per second to a Zeek while it gets history; 0 for no limit."),
    grace: seconds.default(60).describe("Seconds a Zeek's subscription waits for it to connect again."),
    handshake_timeout: seconds.default(10).describe("Seconds until a connection must stand: handshake, acknowledgement, and the subscription behind it."),
    ping_interval: seconds.default(5).describe("Seconds of silence after which a Zeek is asked for a sign of life; after three times as many it is given up."),
    max_frame_size: z.number().int().min(4_096).max(64 * mebibyte).default(16 * mebibyte).describe("Bytes of one message from Zeek; larger ones end the connection."),
    max_connections: z.number().int().min(1).max(10_000).default(200).describe("Connections at one time, and Zeeks to remember."),
    max_indicators: z.number().int().min(1).max(100_000_000).default(1_000_000).describe("Indicators remembered for each Zeek; the longest untouched goes first."),
  })
  .refine(({ listen, bridge: given, port: native, host }) => !listen || given === undefined || given.port !== native || given.host !== host, {
    path: ["bridge", "port"],
    error: "the native port and that of the bridge are two",
  });

export type ZeekOptions = z.output<typeof options>;
export type TlsOptions = ZeekOptions["tls"];
export type WebSocketOptions = ZeekOptions["websocket"][number];
export type BridgeOptions = Exclude<ZeekOptions["bridge"], undefined>;
