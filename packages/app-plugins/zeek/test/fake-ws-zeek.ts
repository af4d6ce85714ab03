import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { createServer as createTlsServer, type Server } from "node:https";
import type { TlsOptions } from "node:tls";
import { onTestFinished } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { eventOf, valueOf, type ZeekEvent } from "../src/wire/event.ts";
import { decodeJson } from "../src/wire/json.ts";
import { encodeJson, type JsonStyle } from "../src/wire/json-print.ts";
import { string, timespan, timestamp, type Value } from "../src/wire/value.ts";

/** One WebSocket connection, from Zeek's side. */
export class WsZeek {
  readonly socket: WebSocket;
  readonly request: IncomingMessage | undefined;
  readonly style: JsonStyle;
  readonly #messages: Buffer[] = [];
  #wake: () => void = () => undefined;
  readonly gone: Promise<{ code: number }>;
  /** Whether all that came was text. */
  text = true;

  constructor(socket: WebSocket, request?: IncomingMessage, style: JsonStyle = { raw: true }) {
    this.socket = socket;
    this.request = request;
    this.style = style;
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      this.text &&= !isBinary;
      this.#messages.push(data);
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.gone = new Promise((resolve) => socket.once("close", (code: number) => {
      resolve({ code });
      this.#wake();
    }));
    onTestFinished(() => socket.terminate());
  }

  async message(): Promise<Buffer> {
    while (this.#messages.length === 0 && this.socket.readyState <= WebSocket.OPEN) await new Promise<void>((resolve) => (this.#wake = resolve));
    const message = this.#messages.shift();
    if (message === undefined) throw new Error("the connection ended");
    return message;
  }

  /** The first message: topics. */
  async topics(): Promise<string[]> {
    return JSON.parse(String(await this.message())) as string[];
  }

  ack(version = "8.2.0", endpoint = "d2949faa-754d-5da6-8596-dde590bde811-websocket-0"): void {
    this.socket.send(JSON.stringify({ type: "ack", endpoint, version }));
  }

  async event(): Promise<{ topic: string; event: ZeekEvent }> {
    const message = decodeJson(await this.message(), this.style.zone);
    const event = message.type === "data-message" ? eventOf(message.value) : undefined;
    if (message.type !== "data-message" || event === undefined) throw new Error("no event");
    return { topic: message.topic as string, event };
  }

  publish(topic: string, name: string, ...args: readonly Value[]): void {
    this.socket.send(encodeJson(topic, valueOf({ name, args }), this.style), { binary: false });
  }

  async subscribe(seconds = 0n, ...more: readonly Value[]): Promise<string> {
    this.publish("threatbus/manage", "Tenzir::subscribe", string("stix2/indicator"), timespan(seconds * 1_000_000_000n), ...more);
    const { event } = await this.event();
    return (event.args[0] as { value: string }).value;
  }

  sight(id: string, context: Value = { type: "table", value: [] }, time = 1_714_557_600_123_000_000n): void {
    this.publish("stix2/sighting", "Tenzir::sighting", timestamp(time), string(id), context);
  }
}

export interface WsServer {
  readonly port: number;
  readonly url: string;
  accept(style?: JsonStyle): Promise<WsZeek>;
  close(): void;
}

/** A Zeek's WebSocket server. */
export async function wsServer({ port = 0, tls, autoPong = true }: { port?: number; tls?: TlsOptions; autoPong?: boolean } = {}): Promise<WsServer> {
  const http: Server = tls === undefined ? (createServer() as unknown as Server) : createTlsServer(tls);
  const server = new WebSocketServer({ server: http, perMessageDeflate: false, skipUTF8Validation: true, autoPong });
  const waiting: [WebSocket, IncomingMessage][] = [];
  let wake: () => void = () => undefined;
  server.on("connection", (socket, request) => {
    // What comes before it is asked for must not be lost.
    socket.pause();
    waiting.push([socket, request]);
    wake();
  });
  http.listen(port, "127.0.0.1");
  await once(http, "listening");
  const close = (): void => {
    for (const client of server.clients) client.terminate();
    server.close();
    http.close();
  };
  onTestFinished(close);
  const given = (http.address() as { port: number }).port;
  return {
    port: given,
    url: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${given}`,
    async accept(style) {
      while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      const [socket, request] = waiting.shift() as [WebSocket, IncomingMessage];
      const zeek = new WsZeek(socket, request, style);
      socket.resume();
      return zeek;
    },
    close,
  };
}

/** A bridge, as `websocat` is one, with a Zeek behind it. */
export async function bridgedZeek(port: number, headers: Readonly<Record<string, string>> = {}): Promise<WsZeek> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { headers: { ...headers }, perMessageDeflate: false });
  const zeek = new WsZeek(socket);
  await Promise.race([once(socket, "open"), zeek.gone]);
  return zeek;
}
