import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { ThreatbusError, reasonOf } from "@threatbus/core";
import { listen, remoteOf } from "../listening.ts";
import { Conversation, type Terms } from "./conversation.ts";
import { anonymousTls, certifiedTls, type Credentials } from "./tls.ts";

/** First byte of a TLS record with a handshake. A plain hello begins with 0. */
const tlsRecord = 0x16;

export interface ListenerSetup {
  readonly address: string;
  readonly port: number;
  /** With a certificate, only peers with one of the same CA come in, and none without TLS. */
  readonly credentials: Credentials;
  /** Connections at one time, those in their handshake included; a few more are taken to be told why they cannot stay. */
  readonly maxConnections: number;
  readonly terms: Terms;
}

/** The port for Zeeks that dial in: plain, or TLS without certificates, told apart by the first byte; or, with certificates, TLS alone. */
export class Listener {
  readonly #setup: ListenerSetup;
  readonly #server: Server;
  /** Takes no connections itself: it is given those that begin with TLS. Absent where OpenSSL has no TLS without certificates. */
  readonly #tls: TlsServer | undefined;
  readonly #certified: boolean;
  readonly #sockets = new Set<Socket>();
  readonly #conversations = new Set<Conversation>();

  constructor(setup: ListenerSetup) {
    this.#setup = setup;
    this.#certified = setup.credentials.cert !== undefined;
    this.#tls = this.#createTls();
    this.#server = createServer((socket) => this.#sniff(socket));
  }

  #createTls(): TlsServer | undefined {
    const { credentials, terms } = this.#setup;
    try {
      const server = createTlsServer({ ...(this.#certified ? certifiedTls(credentials) : anonymousTls), handshakeTimeout: terms.handshakeTimeout });
      server.on("secureConnection", (socket) => this.#converse(socket, "tls"));
      server.on("tlsClientError", (error, socket) => this.#refuse(socket, reasonOf(error), "tls"));
      return server;
    } catch (thrown) {
      if (this.#certified) throw new ThreatbusError("OPTIONS_INVALID", `plugins.apps.zeek.tls: the certificate or its key cannot be used: ${reasonOf(thrown)}`, { cause: thrown });
      terms.host.logger.warn("this Node has no TLS without certificates: Zeeks peer with Broker::disable_ssl=T, or with certificates", { reason: reasonOf(thrown) });
      return undefined;
    }
  }

  /** @throws ThreatbusError `PORT_IN_USE`, `ADDRESS_INVALID` */
  start(): Promise<void> {
    const { address, port, maxConnections, terms } = this.#setup;
    return listen(this.#server, { option: "", address, port, maxConnections, troubles: terms.troubles });
  }

  async stop(): Promise<void> {
    const closed = this.#server.listening ? new Promise((resolve) => this.#server.close(resolve)) : undefined;
    await Promise.all([...this.#conversations].map((conversation) => conversation.close()));
    const gone = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...gone]);
  }

  tend(interval: number): void {
    for (const conversation of this.#conversations) conversation.tend(interval);
  }

  #sniff(socket: Socket): void {
    const { terms } = this.#setup;
    this.#sockets.add(socket);
    const over = new AbortController();
    const fail = (error: Error): void => this.#refuse(socket, reasonOf(error), "connection");
    socket.once("close", () => {
      this.#sockets.delete(socket);
      over.abort();
    });
    socket.once("error", fail);
    socket.once("data", (chunk: Buffer) => {
      over.abort();
      socket.pause();
      socket.off("error", fail);
      socket.on("error", () => undefined);
      socket.unshift(chunk);
      if (chunk[0] === tlsRecord && this.#tls !== undefined) this.#tls.emit("connection", socket);
      else if (this.#certified) this.#refuse(socket, "a peer without TLS, while certificates are demanded: set Broker::disable_ssl=F in Zeek, and its certificates", "tls");
      else this.#converse(socket, "plain");
    });
    void terms.host.clock.sleep(terms.handshakeTimeout, over.signal).then(() => {
      if (!over.signal.aborted) this.#refuse(socket, "silent: no Broker of Zeek 5.0 or later; Zeek 4 and older speak another protocol", "handshake");
    });
  }

  #converse(socket: Socket, kind: "plain" | "tls"): void {
    const remote = `${kind === "tls" ? "tls://" : "tcp://"}${remoteOf(socket)}`;
    const conversation = new Conversation(socket, remote, this.#setup.terms);
    this.#conversations.add(conversation);
    socket.resume();
    void conversation.ended.then(({ stood, reason, fields }) => {
      this.#conversations.delete(conversation);
      if (stood) return;
      this.#setup.terms.troubles.count("zeek_connections_refused", "a connection was no peering", { remote, reason, ...fields }, "handshake");
    });
  }

  #refuse(socket: Socket, reason: string, kind: "tls" | "handshake" | "connection"): void {
    const advice = kind === "tls" ? { advice: "Zeek's TLS settings and `tls` here must go together: certificates on both sides, or on none" } : {};
    this.#setup.terms.troubles.count("zeek_connections_refused", "a connection was refused", { remote: remoteOf(socket), reason, ...advice }, kind);
    socket.destroy();
  }
}
