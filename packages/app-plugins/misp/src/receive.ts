import { isIPv6 } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { ThreatbusError } from "@threatbus/core";
import type { Clock, Logger } from "@threatbus/core";
import type * as zeromqModule from "zeromq";
import type { Subscriber } from "zeromq";
import type { ZmqOptions } from "./options.ts";

export const attributeTopic = "misp_json_attribute";
/** Sent by MISP's ZeroMQ publisher when it had nothing to say for ten seconds. */
export const heartbeatTopic = "misp_json_self";

/** Bytes of one frame. ZeroMQ drops the connection of a peer that sends more, then connects again. */
const maxFrameBytes: number = 16 * 1024 * 1024;
/** Frames taken before other work of the process gets its turn. */
const turn = 256;

export interface Surroundings {
  readonly logger: Logger;
  readonly clock: Clock;
  /** Ends the receiver. */
  readonly signal: AbortSignal;
}

/** Told of the connection: `"connected"` again and again, whenever it stands; `"waiting"` when nothing answered at first. */
export type OnConnection = (state: "connected" | "waiting" | "lost" | "refused") => void;

type Zeromq = typeof zeromqModule;

/** The library, which is installed only where it is needed. @throws ThreatbusError that says how */
export async function loadZeromq(): Promise<Zeromq> {
  return await import("zeromq").catch((cause: unknown) => {
    throw missing("zeromq", "misp.zmq", cause);
  });
}

/** @param option what needs the package */
export function missing(name: string, option: string, cause: unknown): ThreatbusError {
  const absent = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND"].includes(String((Object(cause) as { code?: unknown }).code));
  return new ThreatbusError("PLUGIN_START_FAILED", absent ? `${option} needs the package ${name}, which is not installed` : `${name} cannot be loaded`, { hint: `run: npm install ${name}`, cause });
}

/** Takes a frame. What it returns is waited for before the next. */
export type Take = (frame: Uint8Array) => Promise<unknown> | undefined;

/**
 * Gives away the frames of MISP's ZeroMQ publisher as they came, `topic blank JSON` each, until the signal fires. Connects again by itself;
 * what MISP publishes meanwhile is lost, since its publisher keeps nothing.
 */
export async function receive(zeromq: Zeromq, options: ZmqOptions, { logger, clock, signal }: Surroundings, take: Take, onConnection: OnConnection): Promise<void> {
  if (signal.aborted) return;
  const literal6 = isIPv6(options.host);
  const endpoint = `tcp://${literal6 ? `[${options.host}]` : options.host}:${options.port}`;
  const socket = new zeromq.Subscriber({
    linger: 0,
    ipv6: literal6,
    receiveHighWaterMark: 10_000,
    maxMessageSize: maxFrameBytes,
    reconnectInterval: 200,
    reconnectMaxInterval: 5_000,
    connectTimeout: 5_000,
    handshakeInterval: 5_000,
    heartbeatInterval: 5_000,
    // It runs from the next heartbeat, so that a cut is noticed within 15 s.
    heartbeatTimeout: 10_000,
    tcpKeepalive: 1,
    tcpKeepaliveIdle: 10,
    tcpKeepaliveInterval: 5,
    tcpKeepaliveCount: 2,
  });
  if (options.username !== undefined) {
    socket.plainUsername = options.username;
    socket.plainPassword = options.password ?? "";
  }
  tell(socket, endpoint, logger, onConnection);
  const close = (): void => socket.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    // The name of published events is the beginning of all others': the blank behind it tells it apart.
    for (const topic of [...options.topics, heartbeatTopic]) socket.subscribe(topic === "misp_json" ? "misp_json " : topic);
    socket.connect(endpoint);
    for (let taken = 0, flowing = false; !socket.closed; ) {
      let parts: readonly Uint8Array[];
      try {
        parts = await (flowing ? socket.receive() : arrival(socket));
        flowing = true;
      } catch (thrown) {
        flowing = false;
        await recover(thrown, socket, logger, clock, signal);
        continue;
      }
      // MISP sends one each.
      for (const part of parts) {
        const busy = take(part);
        if (busy !== undefined) await busy;
      }
      if (++taken % turn === 0) await immediate();
    }
  } finally {
    signal.removeEventListener("abort", close);
    if (!socket.closed) socket.close();
  }
}

/**
 * Waits for a message. `receive` then gives what is there, and rejects if there is nothing: that spares it a look at the socket, a system call, before
 * each.
 */
function arrival(socket: Subscriber): Promise<readonly Uint8Array[]> {
  socket.receiveTimeout = -1;
  const arrived = socket.receive();
  socket.receiveTimeout = 0;
  return arrived;
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

/** After the socket closed, or bytes that are no ZeroMQ disturbed it: waits before the next attempt where there is a reason to. */
async function recover(thrown: unknown, socket: Subscriber, logger: Logger, clock: Clock, signal: AbortSignal): Promise<void> {
  if (socket.closed || (thrown as { code?: unknown }).code === "EAGAIN") return;
  logger.error("receiving from MISP failed, trying again", { error: thrown });
  await clock.sleep(1_000, signal);
}

/** Logs changes of the connection's state, each once until it changes again. */
function tell(socket: Subscriber, endpoint: string, logger: Logger, onConnection: OnConnection): void {
  let state = "";
  const enter = (name: Parameters<OnConnection>[0], log: () => void): void => {
    if (state === name) return;
    state = name;
    log();
    onConnection(name);
  };
  const failed = ({ error }: { error: Error }): void =>
    enter("refused", () => logger.warn("MISP's publisher refuses the handshake; are zmq.username and zmq.password right?", { endpoint, error: error.message }));
  socket.events.on("handshake", () => enter("connected", () => logger.info("connected to MISP", { endpoint })));
  socket.events.on("disconnect", () => {
    if (state === "connected") enter("lost", () => logger.warn("connection to MISP lost, connecting again", { endpoint }));
  });
  socket.events.on("connect:retry", () => {
    if (state === "") enter("waiting", () => logger.warn("MISP's publisher does not answer yet, trying on", { endpoint }));
  });
  socket.events.on("handshake:error:auth", failed);
  socket.events.on("handshake:error:protocol", failed);
  socket.events.on("handshake:error:other", failed);
}
