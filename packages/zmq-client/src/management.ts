import type { Request } from "zeromq";
import { ZmqClientError } from "./errors.ts";
import type { Sockets } from "./sockets.ts";
import { type Grant, readGrant, readReason, readReply, type Reply } from "./wire.ts";

/**
 * Requests to the management port, one at a time. A REQ socket whose answer did not come can never ask again: it is thrown away
 * and the next request gets a new one.
 */
export class Management {
  readonly #sockets: Sockets;
  readonly #timeout: number;
  #socket: Request | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(sockets: Sockets, timeout: number) {
    this.#sockets = sockets;
    this.#timeout = timeout;
  }

  /** @throws ZmqClientError `REQUEST_REFUSED` and what {@link request} throws */
  async subscribe(topics: readonly string[], days: number): Promise<Grant> {
    const topic = topics.length === 1 ? topics[0] : topics;
    const reply = await this.request({ action: "subscribe", topic, snapshot: days, features: ["seq"] });
    if (reply.status !== "success") {
      const reason = readReason(reply);
      throw new ZmqClientError("REQUEST_REFUSED", "the bus refused the subscription", reason === undefined ? {} : { reason });
    }
    const grant = readGrant(reply);
    if (grant === undefined) throw new ZmqClientError("REPLY_INVALID", "the bus granted a subscription without a usable topic or ports");
    return grant;
  }

  /** False if the bus does not know the subscription (any more). */
  async heartbeat(channel: string): Promise<boolean> {
    return (await this.request({ action: "heartbeat", topic: channel })).status === "success";
  }

  async unsubscribe(channel: string): Promise<void> {
    await this.request({ action: "unsubscribe", topic: channel });
  }

  /** Any reply that is one, refusals included. @throws ZmqClientError `CONNECTION_FAILED`, `REQUEST_TIMEOUT`, `REPLY_INVALID`, `CLOSED` */
  request(body: Readonly<Record<string, unknown>>): Promise<Reply> {
    const answer = this.#last.then(() => this.#exchange(JSON.stringify(body)));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  close(): void {
    this.#closed = true;
    this.#discard();
  }

  async #exchange(body: string): Promise<Reply> {
    if (this.#closed) throw new ZmqClientError("CLOSED");
    const socket = (this.#socket ??= this.#open());
    const started = performance.now();
    socket.sendTimeout = this.#timeout;
    try {
      await socket.send(body);
    } catch (cause) {
      throw this.#failure(new ZmqClientError("CONNECTION_FAILED", "no bus on the management port", {
        hint: "check host and port, and the CURVE keys if the bus uses CURVE",
        cause,
      }));
    }
    socket.receiveTimeout = Math.max(1, Math.ceil(this.#timeout - (performance.now() - started)));
    let frames: readonly Uint8Array[];
    try {
      frames = await socket.receive();
    } catch (cause) {
      throw this.#failure(this.#socket === socket
        ? new ZmqClientError("REQUEST_TIMEOUT", undefined, { hint: "it may be busy; requestTimeout says how long to wait", cause })
        : new ZmqClientError("CONNECTION_FAILED", "the connection was lost before the bus answered", { cause }));
    }
    const reply = readReply(frames);
    if (reply !== undefined) return reply;
    throw this.#failure(new ZmqClientError("REPLY_INVALID", undefined, { hint: "is this the management port of a bus?" }));
  }

  #open(): Request {
    const { socket, link } = this.#sockets.request(() => {
      // Its answer will never come: ZeroMQ would connect again, but not ask again.
      if (!link.up && this.#socket === socket) this.#discard();
    });
    return socket;
  }

  #failure(error: ZmqClientError): ZmqClientError {
    this.#discard();
    return this.#closed ? new ZmqClientError("CLOSED") : error;
  }

  #discard(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }
}
