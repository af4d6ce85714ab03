import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { onTestFinished } from "vitest";
import { FrameSplitter } from "../src/native/framing.ts";
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from "../src/native/handshake-message.ts";
import { decodeMessage, filterPayload, messageHead, messageTypes, type PeerMessage, rawPayload, reservedTopic, valuePayload, writeMessage } from "../src/native/message.ts";
import { nobody } from "../src/native/peer-id.ts";
import { decodeValue } from "../src/wire/binary.ts";
import { eventOf, valueOf, type ZeekEvent } from "../src/wire/event.ts";
import { string, timespan, timestamp, type Value } from "../src/wire/value.ts";
import { Writer } from "../src/wire/writer.ts";

export const lowId = "4ce748be035351119b9fce808aaced3b";
export const highId = "ffffffffffffffffffffffffffffffff";

/** A Zeek as the plugin sees it: scripted, over real TCP. */
export class FakeZeek {
  readonly socket: Socket;
  readonly id: string;
  peer = nobody;
  #frames: Buffer[] = [];
  #wake: () => void = () => undefined;
  /** Resolves when the connection is gone. */
  readonly gone: Promise<unknown>;

  constructor(socket: Socket, id: string) {
    this.socket = socket;
    this.id = id;
    const splitter = new FrameSplitter(1 << 24);
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      for (const frame of splitter.push(chunk)) this.#frames.push(Buffer.from(frame));
      this.#wake();
    });
    this.gone = new Promise((resolve) => socket.once("close", () => {
      resolve(undefined);
      this.#wake();
    }));
    onTestFinished(() => void socket.destroy());
  }

  /** Connects, as `Broker::peer` does. */
  static async dial(port: number, { id = lowId, tls }: { id?: string; tls?: ConnectionOptions } = {}): Promise<FakeZeek> {
    const socket = tls === undefined ? connect(port, "127.0.0.1") : connectTls({ port, host: "127.0.0.1", ...tls });
    const zeek = new FakeZeek(socket, id);
    await Promise.race([once(socket, tls === undefined ? "connect" : "secureConnect"), zeek.gone]);
    return zeek;
  }

  /** Connects and goes through the handshake. */
  static async peered(port: number, options: { id?: string; tls?: ConnectionOptions; filter?: readonly string[] } = {}): Promise<FakeZeek> {
    const zeek = await FakeZeek.dial(port, options);
    zeek.say({ type: "hello", sender: zeek.id, minVersion: 1, maxVersion: 1 });
    await zeek.agree(options.filter ?? ["threatbus/manage"]);
    return zeek;
  }

  /** The handshake from the other side's first message on, in the role that its ids give this side. */
  async agree(filter: readonly string[]): Promise<void> {
    for (;;) {
      const message = await this.hear();
      switch (message.type) {
        case "hello":
          this.peer = message.sender;
          if (this.id < message.sender) {
            this.say({ type: "version_select", sender: this.id, version: 1 });
            this.say({ type: "originator_syn", filter });
          } else this.say({ type: "hello", sender: this.id, minVersion: 1, maxVersion: 1 });
          break;
        case "version_select":
          this.peer = message.sender;
          break;
        case "originator_syn":
          this.say({ type: "responder_syn_ack", filter });
          break;
        case "responder_syn_ack":
          this.say({ type: "originator_ack" });
          return;
        case "originator_ack":
          return;
        case "drop_conn":
          throw new Error(`dropped: ${message.code} ${message.reason}`);
      }
    }
  }

  /** The next frame, without its length; undefined at the end of the connection. */
  async frame(): Promise<Buffer | undefined> {
    while (this.#frames.length === 0 && !this.socket.destroyed) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#frames.shift();
  }

  async hear(): Promise<HandshakeMessage> {
    const frame = await this.frame();
    if (frame === undefined) throw new Error("the connection ended");
    return decodeHandshake(frame);
  }

  say(message: HandshakeMessage): void {
    this.socket.write(encodeHandshake(message));
  }

  /** The next message that is no ping; pings are answered. */
  async message(): Promise<PeerMessage> {
    for (;;) {
      const frame = await this.frame();
      if (frame === undefined) throw new Error("the connection ended");
      const message = decodeMessage(frame);
      if (message.type !== messageTypes.ping) return message;
      this.write({ type: messageTypes.pong, topic: reservedTopic, receiver: message.sender }, rawPayload(message.payload));
    }
  }

  async event(): Promise<{ topic: string; event: ZeekEvent }> {
    const { topic, payload } = await this.message();
    const event = eventOf(decodeValue(payload));
    if (event === undefined) throw new Error("no event");
    return { topic: topic as string, event };
  }

  /** What `intel` events say, in short: `ADD ADDR 10.0.0.1`. */
  async intel(count: number): Promise<string[]> {
    const said: string[] = [];
    while (said.length < count) {
      const { event } = await this.event();
      if (event.name !== "Tenzir::intel") throw new Error(event.name);
      said.push(intelText(event));
    }
    return said;
  }

  write(message: Pick<PeerMessage, "type" | "topic"> & { receiver?: string }, payload: (writer: Writer) => void): void {
    const writer = new Writer();
    writeMessage(messageHead({ sender: this.id, receiver: nobody, ...message }), payload, writer);
    this.socket.write(writer.take());
  }

  publish(topic: string, name: string, ...args: readonly Value[]): void {
    this.write({ type: messageTypes.data, topic }, valuePayload(valueOf({ name, args, metadata: [] })));
  }

  /** Its filter from now on. */
  want(filter: readonly string[]): void {
    this.write({ type: messageTypes.routingUpdate, topic: reservedTopic, receiver: this.peer }, filterPayload(filter));
  }

  /** As the first Threat Bus's script: subscribes, takes the acknowledgement, and listens to its topic. Returns that. */
  async subscribe(seconds = 0n, ...more: readonly Value[]): Promise<string> {
    this.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"), timespan(seconds * 1_000_000_000n), ...more);
    const { event } = await this.event();
    const [topic] = event.args;
    if (event.name !== "Tenzir::subscription_acknowledged" || topic?.type !== "string") throw new Error(event.name);
    this.want(["threatbus/manage", topic.value as string]);
    return topic.value as string;
  }

  sight(id: string, context: Value = { type: "table", value: [[string("noisy"), { type: "boolean", value: false }]] }, time = 1_714_557_600_123_456_789n): void {
    this.publish("stix2/sighting", "Tenzir::sighting", timestamp(time), string(id), context);
  }
}

export function intelText({ args }: ZeekEvent): string {
  const [record] = args;
  if (record?.type !== "vector") throw new Error("no record");
  const [, , type, value, operation] = record.value.map((field) => (field.type === "string" ? (field.value as string) : ""));
  return `${operation} ${type} ${value}`;
}

export function idsOf({ args }: ZeekEvent): string {
  const [record] = args;
  const id = record?.type === "vector" ? record.value[1] : undefined;
  return id?.type === "string" ? (id.value as string) : "";
}

/** A Zeek that listens: hands out its connections in order. */
export async function listeningZeek(port = 0): Promise<{ port: number; accept(id?: string): Promise<FakeZeek>; close(): void }> {
  const waiting: Socket[] = [];
  let wake: () => void = () => undefined;
  const server = createServer((socket) => {
    waiting.push(socket);
    wake();
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = (): void => {
    server.close();
    for (const socket of waiting) socket.destroy();
  };
  onTestFinished(close);
  return {
    port: (server.address() as { port: number }).port,
    async accept(id = lowId) {
      while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return new FakeZeek(waiting.shift() as Socket, id);
    },
    close,
  };
}
