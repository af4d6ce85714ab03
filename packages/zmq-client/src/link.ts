import { setImmediate as yieldToOthers } from "node:timers/promises";
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
    const set = (up: boolean): void => {
      if (up === this.#up) return;
      this.#up = up;
      this.changed.notify();
      onChange();
    };
    while (!events.closed) {
      try {
        const { type } = await events.receive();
        if (type === "handshake") set(true);
        else if (type === "disconnect") set(false);
        else if (type === "end") break;
      } catch {
        // Closed, or a stray EAGAIN: the loop's condition tells which.
        await yieldToOthers();
      }
    }
    set(false);
  }
}
