import type { Socket } from "zeromq";
import { Condition } from "./condition.ts";

/** Whether a connecting socket has its peer, handshake done. A peer that is lost comes back by itself: ZeroMQ reconnects. */
export class Link {
  readonly changed: Condition = new Condition();
  #up = false;

  /** For a socket that is not connecting yet. `onChange` is told of every connection made or lost. */
  constructor(socket: Socket, onChange: () => void) {
    void this.#watch(socket, onChange);
  }

  get up(): boolean {
    return this.#up;
  }

  async #watch(socket: Socket, onChange: () => void): Promise<void> {
    const { events } = socket;
    while (!events.closed) {
      try {
        const { type } = await events.receive();
        if (type === "end") break;
        if (type !== "handshake" && type !== "disconnect") continue;
        this.#set(type === "handshake");
        onChange();
      } catch {
        break;
      }
    }
    this.#set(false);
  }

  #set(up: boolean): void {
    this.#up = up;
    this.changed.notify();
  }
}
