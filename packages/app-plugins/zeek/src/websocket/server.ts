import { createServer, type IncomingMessage, type Server } from "node:http";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { bindError, remoteOf } from "../native/listener.ts";
import type { BridgeOptions } from "../options.ts";
import { zoneOf } from "../wire/time.ts";
import { Session } from "./session.ts";
import type { WebSocketTerms } from "./terms.ts";

/**
 * The WebSocket server for bridges: Zeek opens no WebSocket itself, so a program between the two (`websocat`) connects to both and passes on what each
 * says. Here as in the client, this side names its topics first and Zeek acknowledges.
 */
export class BridgeServer {
  readonly #options: BridgeOptions;
  readonly #address: string;
  readonly #maxConnections: number;
  readonly #terms: WebSocketTerms;
  readonly #http: Server;
  readonly #server: WebSocketServer;
  readonly #sessions = new Set<Session>();

  constructor(options: BridgeOptions, address: string, maxConnections: number, terms: WebSocketTerms) {
    this.#options = options;
    this.#address = address;
    this.#maxConnections = maxConnections;
    this.#terms = terms;
    this.#http = createServer({ requestTimeout: terms.handshakeTimeout, headersTimeout: terms.handshakeTimeout }, (_request, response) => {
      response.writeHead(426, { "content-type": "text/plain", connection: "close" }).end("WebSocket only\n");
    });
    this.#server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, skipUTF8Validation: true, maxPayload: terms.maxMessage });
    this.#http.on("upgrade", (request, socket, head) => {
      socket.on("error", () => socket.destroy());
      const problem = this.#problemWith(request);
      if (problem === undefined) return this.#server.handleUpgrade(request, socket, head, (client) => this.#serve(client, request));
      terms.troubles.count("zeek_connections_refused", problem, { remote: remoteOf(request.socket) }, "bridge");
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n", () => socket.destroy());
    });
  }

  /** @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID` */
  async start(): Promise<void> {
    const { port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once("error", (error: NodeJS.ErrnoException) => reject(bindError(error, "bridge.", this.#address, port)));
      this.#http.listen({ host: this.#address, port }, resolve);
    });
    // A connection that could not be accepted, e.g. for want of descriptors, is no reason to end.
    this.#http.on("error", () => undefined);
  }

  async stop(): Promise<void> {
    const closed = this.#http.listening ? new Promise((resolve) => this.#http.close(resolve)) : undefined;
    await Promise.all([...this.#sessions].map((session) => session.close()));
    this.#http.closeAllConnections();
    await closed;
  }

  tend(interval: number): void {
    for (const session of this.#sessions) session.tend(interval);
  }

  /** Web pages may open WebSockets to any address, this machine's too; browsers then say where the page is from. */
  #problemWith(request: IncomingMessage): string | undefined {
    if (request.headers.origin !== undefined) return "a web page tried to connect as a bridge";
    return this.#sessions.size >= this.#maxConnections ? "there are too many bridges: one was refused" : undefined;
  }

  #serve(socket: WebSocket, { socket: { remoteAddress = "?", remotePort = 0 } }: IncomingMessage): void {
    const { topics, host, troubles, takeLink, handshakeTimeout } = this.#terms;
    const remote = `bridge ${remoteAddress}:${remotePort}`;
    const session = new Session({
      socket, remote, topics, zone: zoneOf(this.#options.time_zone), pace: this.#options.max_rate, ackTimeout: handshakeTimeout, host, troubles, takeLink,
    });
    this.#sessions.add(session);
    void session.ended.then(({ acknowledged, reason }) => {
      this.#sessions.delete(session);
      if (!acknowledged) troubles.count("zeek_connections_refused", "behind a bridge there was no Zeek", { remote, reason }, "bridge");
    });
  }
}
