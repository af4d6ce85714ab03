import { timingSafeEqual } from "node:crypto";
import { setImmediate as immediate } from "node:timers/promises";
import { Router } from "zeromq";
import type { Context } from "zeromq";

/** Decides which CURVE keys may connect to the sockets of one context, by ZeroMQ's authentication protocol (RFC 27, version 1.0). */
export class Gatekeeper {
  readonly #socket: Router;
  readonly #keys: readonly Buffer[];
  readonly #onRefused: () => void;

  constructor(context: Context, keys: readonly Buffer[], onRefused: () => void) {
    this.#socket = new Router({ context, linger: 0, sendTimeout: 1_000 });
    this.#keys = keys;
    this.#onRefused = onRefused;
  }

  /** To be called before any other socket of the context is bound. */
  async start(): Promise<void> {
    await this.#socket.bind("inproc://zeromq.zap.01");
    void this.#serve();
  }

  stop(): void {
    this.#socket.close();
  }

  async #serve(): Promise<void> {
    while (!this.#socket.closed) {
      try {
        await this.#answer(await this.#socket.receive());
      } catch {
        await immediate();
      }
    }
  }

  async #answer(frames: readonly Buffer[]): Promise<void> {
    const [peer, empty, version, request, , , , mechanism, key] = frames;
    if (peer === undefined || empty?.length !== 0 || version?.toString() !== "1.0" || request === undefined) return;
    const accepted = mechanism?.toString() === "CURVE" && key?.length === 32 && frames.length === 9 && this.#knows(key);
    if (!accepted) this.#onRefused();
    await this.#socket.send([peer, "", "1.0", request, accepted ? "200" : "400", accepted ? "OK" : "not authorized", "", ""]);
  }

  #knows(key: Buffer): boolean {
    let known = false;
    for (const each of this.#keys) if (timingSafeEqual(each, key)) known = true;
    return known;
  }
}
