import type { Buffer } from "node:buffer";
import { setImmediate as immediate } from "node:timers/promises";
import type { Clock } from "@threatbus/core";
import { channelLength } from "./channel.ts";
import { codeOf } from "./errno.ts";
import type { DoorkeptPublisher } from "./sockets.ts";

/** Milliseconds between two looks for subscriptions while messages go out. */
const look = 5;
/** Milliseconds to wait for a subscription before seeing whether messages go out. */
const idle = 100;
/** Messages between two looks from which on messages "go out". */
const flow = 50;
/** Tries in the next turns of the event loop, before waiting for a full pipe takes longer. */
const eager = 16;
/** Milliseconds between two tries for an app that does not read. */
const longest = 50;

/** Told which channels apps connect to. */
export interface Doorkeeper {
  /** Returns whether the channel exists. */
  attach(channel: string): boolean;
  detach(channel: string): void;
}

/** The `pub` port: sends frames, and lets an app have the channel it was given and nothing else. */
export class Egress {
  readonly #socket: DoorkeptPublisher;
  readonly #clock: Clock;
  #sends = 0;

  constructor(socket: DoorkeptPublisher, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.receiveTimeout = idle;
  }

  start(doorkeeper: Doorkeeper): void {
    void this.#watch(doorkeeper);
  }

  /** Rejects at once with `EAGAIN` when the app's pipe is full. The frames belong to the socket from here on. */
  send(frames: Buffer | Buffer[]): Promise<void> {
    this.#sends++;
    return this.#socket.send(frames);
  }

  /** Waits until a full pipe may have room; longer with every attempt in a row. */
  async room(attempt: number): Promise<void> {
    if (attempt < eager) await immediate();
    else await this.#clock.sleep(Math.min(longest, 2 ** (attempt - eager)));
    // Reading the state makes the socket hear what its peers have taken.
    if (!this.#socket.closed) void this.#socket.writable;
  }

  /**
   * A receive that waits makes every send look for subscriptions too, which costs as much as sending. So while messages go out nobody
   * waits: a look every few milliseconds is enough.
   */
  async #watch(doorkeeper: Doorkeeper): Promise<void> {
    for (let before = 0; !this.#socket.closed; ) {
      const flowing = this.#sends - before > flow;
      before = this.#sends;
      try {
        if (flowing && !this.#socket.readable) await this.#clock.sleep(look);
        else this.#decide(await this.#socket.receive(), doorkeeper);
      } catch {
        // Nothing came, or garbage did: the next one may be in order.
        await immediate();
      }
    }
  }

  /** Must not wait: the socket knows only the peer it heard last. */
  #decide([frame]: readonly Buffer[], doorkeeper: Doorkeeper): void {
    const wish = frame?.[0];
    if (frame === undefined || frame.length <= channelLength || (wish !== 0 && wish !== 1)) return;
    const prefix = frame.subarray(1);
    const channel = prefix.toString("latin1", 0, channelLength);
    if (wish === 1) {
      if (doorkeeper.attach(channel)) this.#socket.admit(prefix);
    } else {
      this.#socket.dismiss(prefix);
      doorkeeper.detach(channel);
    }
  }
}

export function isFull(thrown: unknown): boolean {
  return codeOf(thrown) === "EAGAIN";
}
