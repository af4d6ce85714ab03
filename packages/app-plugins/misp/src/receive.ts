import { connect } from "node:net";
import { backoff, reasonOf } from "@threatbus/core";
import type { Clock, Logger } from "@threatbus/core";
import type { ZmqOptions } from "./options.ts";
import { ZmtpRefusal } from "./zmtp/fault.ts";
import { Subscriber } from "./zmtp/subscriber.ts";

export const attributeTopic = "misp_json_attribute";
/** Sent by MISP's ZeroMQ publisher when it had nothing to say for ten seconds. */
export const heartbeatTopic = "misp_json_self";

/** Bytes of one frame. */
const maxBytes: number = 16 * 1024 * 1024;
/** Milliseconds a connection may take to stand, and between two heartbeats: a cut is noticed within 15 s. */
const beat = 5_000;

export interface Surroundings {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Ends the receiver. */
  readonly signal: AbortSignal;
}

/** Told of the connection: `"connected"` again and again, whenever it stands; `"waiting"` when nothing answered at first. */
export type OnConnection = (state: "connected" | "waiting" | "lost" | "refused") => void;

/** Takes a frame. What it returns is waited for before the next; the bytes are good until then. */
export type Take = (frame: Uint8Array) => Promise<unknown> | undefined;

/**
 * Gives away the frames of MISP's ZeroMQ publisher as they came, `topic blank JSON` each, until the signal fires. Connects again by itself;
 * what MISP publishes meanwhile is lost, since its publisher keeps nothing.
 */
export async function receive(options: ZmqOptions, { logger, clock, signal }: Surroundings, take: Take, onConnection: OnConnection): Promise<void> {
  const { host, port, username, password = "", topics } = options;
  const enter = told(`${host}:${port}`, logger, onConnection);
  const waits = backoff();
  while (!signal.aborted) {
    const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 });
    const end = (): void => void socket.destroy();
    signal.addEventListener("abort", end);
    /** When it let us in. */
    let since: number | undefined;
    const subscriber = new Subscriber(socket, {
      // The name of published events is the beginning of all others': the blank behind it tells it apart.
      prefixes: [...topics, heartbeatTopic].map((topic) => (topic === "misp_json" ? "misp_json " : topic)),
      login: username === undefined ? undefined : { username, password },
      maxBytes,
      beat,
      take,
      onReady: () => {
        since = clock.now();
        enter("connected");
      },
    });
    try {
      await subscriber.run();
    } catch (thrown) {
      if (!signal.aborted) enter(since !== undefined ? "lost" : thrown instanceof ZmtpRefusal ? "refused" : "waiting", reasonOf(thrown));
    } finally {
      signal.removeEventListener("abort", end);
      socket.destroy();
    }
    // One that lets us in to leave at once is waited for longer and longer.
    if (since !== undefined && clock.now() - since > beat) waits.reset();
    await clock.sleep(waits.next(), signal);
  }
}

/** Most frames have the topic of the one before. */
let lastTopic = "";

/** Cuts a frame at its first blank. `undefined` without one, or when what is before it is no printable ASCII. */
export function splitFrame(frame: Uint8Array): { readonly topic: string; readonly payload: Uint8Array } | undefined {
  if (!isTopic(lastTopic, frame)) {
    const blank = frame.indexOf(0x20);
    if (blank < 1 || blank > 255) return undefined;
    const topic = Buffer.from(frame.subarray(0, blank)).toString("latin1");
    if (!/^[!-~]+$/.test(topic)) return undefined;
    lastTopic = topic;
  }
  return { topic: lastTopic, payload: frame.subarray(lastTopic.length + 1) };
}

function isTopic(topic: string, frame: Uint8Array): boolean {
  if (topic === "" || frame[topic.length] !== 0x20) return false;
  for (let at = 0; at < topic.length; at++) if (frame[at] !== topic.charCodeAt(at)) return false;
  return true;
}

/** Logs changes of the connection's state, each once until it changes again. */
function told(endpoint: string, logger: Logger, onConnection: OnConnection): (state: Parameters<OnConnection>[0], reason?: string) => void {
  const log: Readonly<Record<Parameters<OnConnection>[0], (reason: string | undefined) => void>> = {
    connected: () => logger.info("connected to MISP", { endpoint }),
    lost: (reason) => logger.warn("connection to MISP lost, connecting again", { endpoint, reason }),
    waiting: (reason) => logger.warn("MISP's publisher does not answer yet, trying on", { endpoint, reason }),
    refused: (reason) => logger.warn("MISP's publisher refuses the handshake; are zmq.username and zmq.password right?", { endpoint, reason }),
  };
  let last = "";
  return (state, reason) => {
    // Between two connections nothing is news but that one is refused.
    if (state === last || (state === "waiting" && last !== "")) return;
    last = state;
    log[state](reason);
    onConnection(state);
  };
}
