import { createServer, type IncomingMessage, type Server } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { listen, remoteOf } from "../listening.ts";
import type { BridgeOptions } from "../options.ts";
import { zoneOf } from "../wire/time.ts";
import { Session } from "./session.ts";
import type { WebSocketTerms } from "./terms.ts";

/** Bytes that may come before Zeek's acknowledgement, which has a few hundred: nobody knows yet who it is. */
const mostUnknown = 65_536;

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
  /** All connections, whatever became of them. */
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<Session>();

  constructor(options: BridgeOptions, address: string, maxConnections: number, terms: WebSocketTerms) {
    this.#options = options;
    this.#address = address;
    this.#maxConnections = maxConnections;
    this.#terms = terms;
    this.#http = createServer({ requestTimeout: terms.handshakeTimeout, headersTimeout: terms.handshakeTimeout }, (_request, response) => {
      response.writeHead(426, { "content-type": "text/plain", connection: "close" }).end("WebSocket only\n");
    });
    this.#http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
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
  start(): Promise<void> {
    const { troubles } = this.#terms;
    return listen(this.#http, { option: "bridge.", address: this.#address, port: this.#options.port, maxConnections: this.#maxConnections, troubles });
  }

  async stop(): Promise<void> {
    const closed = this.#http.listening ? new Promise((resolve) => this.#http.close(resolve)) : undefined;
    await Promise.all([...this.#sessions].map((session) => session.close()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  tend(interval: number): void {
    for (const session of this.#sessions) session.tend(interval);
  }

  /** Web pages may open WebSockets to any address, this machine's too; browsers then say where the page is from. */
  #problemWith(request: IncomingMessage): string | undefined {
    if (request.headers.origin !== undefined) return "a web page tried to connect as a bridge";
    return this.#sessions.size >= this.#maxConnections ? "there are too many bridges: one was refused; raise max_connections" : undefined;
  }

  #serve(client: WebSocket, { socket }: IncomingMessage): void {
    const remote = `bridge ${remoteOf(socket)}`;
    const session = new Session({ socket: client, remote, zone: zoneOf(this.#options.time_zone), pace: this.#options.max_rate, terms: this.#terms });
    this.#sessions.add(session);
    const limit = (): void => {
      if (session.acknowledged) socket.off("data", limit);
      else if (socket.bytesRead > mostUnknown) socket.destroy();
    };
    socket.on("data", limit);
    void session.ended.then(({ stood, reason }) => {
      this.#sessions.delete(session);
      if (!stood) this.#terms.troubles.count("zeek_connections_refused", "behind a bridge there was no Zeek that could come in", { remote, reason }, "bridge");
    });
  }
}
