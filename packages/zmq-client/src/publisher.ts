import type { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import type { XPublisher } from "zeromq";
import { Condition } from "./condition.ts";
import { isAgain, ZmqClientError } from "./errors.ts";
import type { Linked, Sockets } from "./sockets.ts";

/** Longest pause before a full queue is tried again, in milliseconds. */
const longestPause = 50;
/** Milliseconds between the first and the last topic that a bus says it takes. */
const announceTime = 500;

interface Connection extends Linked<XPublisher> {
  readonly port: number;
}

/**
 * Sends to the bus, one message after the other. Sends nothing before the bus is connected and has said (by its own subscription) that
 * it takes the topic, so that no message is lost on the way into a connection; waits while the queue to the bus is full.
 */
export class Publisher {
  readonly #sockets: Sockets;
  readonly #timeout: number;
  readonly #locate: () => Promise<number>;
  /** Prefixes that the bus subscribed to. */
  readonly #prefixes = new Set<string>();
  /** When the first of them came: the others follow at once. */
  #heardAt = 0;
  #takenTopics = new Set<string>();
  /** Of the connection, the prefixes, or `#closed`. */
  readonly #changed: Condition = new Condition();
  #connection: Connection | undefined;
  /** Asked of the bus before the first message, and again after one that found no connection. */
  #located = false;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  /** `timeout` in milliseconds; `locate` tells the port. */
  constructor(sockets: Sockets, timeout: number, locate: () => Promise<number>) {
    this.#sockets = sockets;
    this.#timeout = timeout;
    this.#locate = locate;
  }

  /** Resolves when the message is in the queue of a connection that stands. @throws ZmqClientError */
  publish(topic: string, frame: Buffer): Promise<void> {
    const deadline = performance.now() + this.#timeout;
    this.#waiting++;
    const sent = this.#last.then(() => this.#send(topic, frame, deadline)).finally(() => this.#waiting--);
    this.#last = sent.catch(() => undefined);
    return sent;
  }

  /** The bus listens there now. */
  moved(port: number): void {
    if (this.#connection !== undefined && this.#connection.port !== port) this.#connect(port);
  }

  /** Waits at most `ms` milliseconds for messages under way; ZeroMQ's linger bounds the rest. */
  async close(ms: number): Promise<void> {
    if (this.#waiting > 0) await Promise.race([this.#last, sleep(ms, undefined, { ref: false })]);
    this.#closed = true;
    this.#connection?.socket.close();
    this.#changed.notify();
  }

  async #send(topic: string, frame: Buffer, deadline: number): Promise<void> {
    let pause = 1;
    for (;;) {
      const socket = this.#ready(topic) ?? (await this.#connected(topic, deadline));
      try {
        return await socket.send(frame);
      } catch (cause) {
        if (this.#closed) throw new ZmqClientError("CLOSED");
        if (!isAgain(cause)) throw new ZmqClientError("CONNECTION_FAILED", undefined, { cause });
        if (performance.now() >= deadline) {
          throw new ZmqClientError("REQUEST_TIMEOUT", "the bus took no message in time", { hint: "it reads too slowly" });
        }
      }
      await sleep(pause);
      pause = Math.min(pause * 2, longestPause);
    }
  }

  #ready(topic: string): XPublisher | undefined {
    const connection = this.#connection;
    return connection?.link.up === true && this.#takes(topic) ? connection.socket : undefined;
  }

  #takes(topic: string): boolean {
    if (this.#takenTopics.has(topic)) return true;
    for (const prefix of this.#prefixes) {
      if (!topic.startsWith(prefix)) continue;
      this.#takenTopics.add(topic);
      return true;
    }
    return false;
  }

  async #connected(topic: string, deadline: number): Promise<XPublisher> {
    await this.#find();
    const until = (test: () => boolean, by: number): Promise<boolean> =>
      this.#changed.until(() => this.#closed || test(), Math.max(1, by - performance.now()));
    const announced = await until(() => this.#connection?.link.up === true && this.#prefixes.size > 0, deadline);
    await until(() => this.#takes(topic), Math.min(deadline, this.#heardAt + announceTime));
    if (this.#closed) throw new ZmqClientError("CLOSED");
    const socket = this.#ready(topic);
    if (socket !== undefined) return socket;
    if (announced && !this.#takes(topic)) {
      throw new ZmqClientError("REQUEST_REFUSED", "the bus takes no messages on this topic", { hint: `it is ${topic}` });
    }
    this.#located = false;
    const hint = `is port ${this.#connection?.port ?? "?"} open from here?`;
    throw new ZmqClientError("CONNECTION_FAILED", "no connection to the port on which the bus takes messages", { hint });
  }

  async #find(): Promise<void> {
    if (this.#closed) throw new ZmqClientError("CLOSED");
    if (this.#located) return;
    const port = await this.#locate();
    if (this.#closed) throw new ZmqClientError("CLOSED");
    if (this.#connection?.port !== port) this.#connect(port);
    this.#located = true;
  }

  #connect(port: number): void {
    this.#connection?.socket.close();
    this.#prefixes.clear();
    this.#takenTopics = new Set();
    const connection = { ...this.#sockets.publisher(port, () => this.#changed.notify()), port };
    this.#connection = connection;
    void this.#listen(connection.socket);
  }

  /** An XPUB receives what its peer subscribes to: 1 or 0, then the prefix. */
  async #listen(socket: XPublisher): Promise<void> {
    while (!socket.closed) {
      try {
        const [frame] = await socket.receive();
        if (frame === undefined || this.#connection?.socket !== socket) continue;
        const prefix = frame.toString("latin1", 1);
        if (frame[0] === 1) {
          if (this.#prefixes.size === 0) this.#heardAt = performance.now();
          this.#prefixes.add(prefix);
        } else if (this.#prefixes.delete(prefix)) this.#takenTopics = new Set();
        this.#changed.notify();
      } catch {
        // Closed, or a stray EAGAIN: the loop's condition tells which.
        await sleep(1);
      }
    }
  }
}
