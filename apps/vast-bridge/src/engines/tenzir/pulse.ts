/**
 * Tells whether a node lives. Its clients do not: one whose node has died waits for ever, without a word. A node greets every connection to its
 * endpoint (a handshake of CAF's protocol), and the system closes the connection when the process ends. So one connection is held, whose end
 * tells of a death at once, and is replaced every now and then by a new one, whose greeting tells a living process from a frozen one.
 */
import { connect, type Socket } from "node:net";
import { systemClock } from "@threatbus/core";
import { EngineError } from "../../engine.ts";

export interface Pulse {
  /** Fires when the node is lost; the reason is an {@link EngineError}. */
  readonly signal: AbortSignal;
  /** Watches no more. Twice is harmless. */
  stop(): void;
}

/**
 * @param silence milliseconds a greeting may take
 * @param onSign told of every sign of life
 */
export function pulseOf(endpoint: string, silence: number, onSign: () => void = () => undefined): Pulse {
  const lost = new AbortController();
  const stopped = new AbortController();
  const over = AbortSignal.any([lost.signal, stopped.signal]);
  let held: Socket | undefined;
  const lose = (reason: string): void => {
    if (over.aborted) return;
    lost.abort(new EngineError(`the Tenzir node at ${endpoint} ${reason}`, { hint: "see that tenzir-node runs and that tenzir.endpoint names it" }));
  };
  over.addEventListener("abort", () => held?.destroy());

  void (async () => {
    while (!over.aborted) {
      const next = await greetingOf(endpoint, silence, over);
      if (typeof next === "string") return lose(next);
      const before = held;
      held = next;
      onSign();
      before?.destroy();
      next.once("close", () => held === next && lose("closed the connection"));
      if (over.aborted || next.closed) next.destroy();
      await systemClock.sleep(silence / 2, over);
    }
  })();
  return {
    signal: lost.signal,
    stop: () => stopped.abort(),
  };
}

/** A connection that has been greeted, or why there is none. */
function greetingOf(endpoint: string, silence: number, over: AbortSignal): Promise<Socket | string> {
  const colon = endpoint.lastIndexOf(":");
  const socket = connect({ host: endpoint.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(endpoint.slice(colon + 1)) });
  return new Promise((resolve) => {
    const end = (result: Socket | string): void => {
      clearTimeout(timer);
      over.removeEventListener("abort", giveUp);
      if (typeof result === "string") socket.destroy();
      resolve(result);
    };
    const giveUp = (): void => end("is not watched any more");
    const timer = setTimeout(() => end(`is silent for ${silence / 1000} s`), silence);
    over.addEventListener("abort", giveUp);
    socket.on("error", (thrown: NodeJS.ErrnoException) => end(`cannot be reached: ${thrown.code ?? "no reason given"}`));
    socket.once("close", () => end("closed the connection"));
    // What else it says is of no interest, but has to be read for the end to be seen.
    socket.once("data", () => end(socket.on("data", () => undefined)));
    socket.unref();
  });
}
