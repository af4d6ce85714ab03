import { Buffer } from "node:buffer";
import { setImmediate as yieldToOthers } from "node:timers/promises";
import type { Subscriber } from "zeromq";
import type { Link } from "./link.ts";
import { type Gap, Sequence } from "./sequence.ts";
import type { Sockets } from "./sockets.ts";
import { type Grant, readSequence } from "./wire.ts";

/** What becomes of frames. The promise, if any, holds back the next one. */
export interface FrameHandler {
  /** The message starts at `start`, behind the channel. */
  frame(frame: Buffer, start: number): Promise<void> | undefined;
  gap(gap: Gap): void;
  /** The connection to the bus was made or lost. */
  linkChanged(): void;
}

interface Channel {
  readonly grant: Grant;
  readonly prefix: Buffer;
  readonly sequence: Sequence;
}

/** Receives the frames of one subscription through whatever grants it gets over time. */
export class Feed {
  readonly #sockets: Sockets;
  readonly #depth: number;
  readonly #handler: FrameHandler;
  #socket: Subscriber | undefined;
  #link: Link | undefined;
  #current: Channel | undefined;
  /** The grant before: its last frames may still be on their way out of the socket. */
  #previous: Channel | undefined;

  constructor(sockets: Sockets, depth: number, handler: FrameHandler) {
    this.#sockets = sockets;
    this.#depth = depth;
    this.#handler = handler;
  }

  get grant(): Grant | undefined {
    return this.#current?.grant;
  }

  attach(grant: Grant): void {
    const last = this.#current;
    this.#forget(this.#previous);
    this.#previous = last;
    this.#current = { grant, prefix: Buffer.from(grant.channel, "latin1"), sequence: new Sequence() };
    if (this.#socket === undefined || last?.grant.pubPort !== grant.pubPort) this.#open(grant.pubPort);
    // Exactly the channel: a bus that authorises subscriptions passes nothing shorter or longer.
    this.#socket?.subscribe(this.#current.prefix);
  }

  /** Resolves with false if no connection stands within `ms` milliseconds. */
  connected(ms: number): Promise<boolean> {
    const link = this.#link;
    return link === undefined ? Promise.resolve(false) : link.changed.until(() => link.up, ms);
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
  }

  #open(port: number): void {
    this.#socket?.close();
    this.#previous = undefined;
    const { socket, link } = this.#sockets.subscriber(port, this.#depth, () => this.#handler.linkChanged());
    this.#socket = socket;
    this.#link = link;
    void this.#receive(socket);
  }

  async #receive(socket: Subscriber): Promise<void> {
    while (!socket.closed) {
      try {
        const [frame, number] = await socket.receive();
        const held = frame === undefined ? undefined : this.#take(frame, number);
        if (held !== undefined) await held;
      } catch {
        // Closed, or a stray EAGAIN: the loop's condition tells which.
        await yieldToOthers();
      }
    }
  }

  #take(frame: Buffer, number: Buffer | undefined): Promise<void> | undefined {
    let channel = this.#current;
    if (channel !== undefined && startsWith(frame, channel.prefix)) {
      this.#forget(this.#previous);
      this.#previous = undefined;
    } else channel = this.#previous;
    if (channel === undefined || !startsWith(frame, channel.prefix)) return undefined;
    if (channel.grant.sequenced) {
      const observed = readSequence(number);
      const gap = observed === undefined ? undefined : channel.sequence.observe(observed);
      if (gap !== undefined) this.#handler.gap(gap);
    }
    return this.#handler.frame(frame, channel.prefix.length);
  }

  #forget(channel: Channel | undefined): void {
    if (channel !== undefined) this.#socket?.unsubscribe(channel.prefix);
  }
}

function startsWith(frame: Buffer, prefix: Buffer): boolean {
  return frame.length >= prefix.length && prefix.compare(frame, 0, prefix.length) === 0;
}
