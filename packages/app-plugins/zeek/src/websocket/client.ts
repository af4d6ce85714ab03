import { backoff, reasonOf } from "@threatbus/core";
import { WebSocket, type ClientOptions } from "ws";
import { anonymousTls, type Credentials } from "../native/tls.ts";
import type { WebSocketOptions } from "../options.ts";
import { version } from "../version.ts";
import { zoneOf } from "../wire/time.ts";
import { Session, type SessionEnding } from "./session.ts";
import type { WebSocketTerms } from "./terms.ts";

/** The only path Zeek knows; compared as text. */
const path = "/v1/messages/json";

/** Connects to a Zeek's WebSocket server, and again whenever the connection ends, until it is stopped. */
export class WebSocketClient {
  readonly #options: WebSocketOptions;
  readonly #terms: WebSocketTerms;
  readonly #url: string;
  readonly #client: ClientOptions;
  readonly #stopping = new AbortController();
  #session: Session | undefined;
  #running: Promise<void> | undefined;

  constructor(options: WebSocketOptions, credentials: Credentials, terms: WebSocketTerms) {
    this.#options = options;
    this.#terms = terms;
    const url = new URL(options.url);
    this.#url = `${url.protocol}//${url.host}${path}`;
    const secure = url.protocol === "wss:";
    this.#client = {
      // Zeek takes letters, digits and -/_.=:*@ here, and ends connections with anything else.
      headers: { "X-Application-Name": `threatbus/${version()}` },
      perMessageDeflate: false,
      // Zeek's strings are bytes, and go out as they are.
      skipUTF8Validation: true,
      maxPayload: terms.maxMessage,
      handshakeTimeout: terms.handshakeTimeout,
      ...(secure && (options.tls === "anonymous" ? { ...anonymousTls, rejectUnauthorized: false } : { ...credentials })),
    };
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#session?.close();
    await this.#running;
  }

  tend(interval: number): void {
    this.#session?.tend(interval);
  }

  async #run(): Promise<void> {
    const { host, troubles } = this.#terms;
    const { signal } = this.#stopping;
    const waits = backoff();
    while (!signal.aborted) {
      const { acknowledged, reason } = await this.#call();
      if (signal.aborted) return;
      if (acknowledged) waits.reset();
      troubles.warn(`connect ${this.#url} ${acknowledged}`, acknowledged ? "the connection to Zeek was lost, connecting again" : "Zeek cannot be reached over WebSocket, trying on", { remote: this.#url, reason });
      await host.clock.sleep(waits.next(), signal);
    }
  }

  async #call(): Promise<SessionEnding> {
    const { topics, host, troubles, takeLink, handshakeTimeout } = this.#terms;
    try {
      const socket = new WebSocket(this.#url, this.#client);
      this.#session = new Session({
        socket, remote: this.#url, topics, zone: zoneOf(this.#options.time_zone), pace: this.#options.max_rate, ackTimeout: handshakeTimeout, host, troubles, takeLink,
      });
      return await this.#session.ended;
    } catch (thrown) {
      return { acknowledged: false, reason: reasonOf(thrown) };
    } finally {
      this.#session = undefined;
    }
  }
}
