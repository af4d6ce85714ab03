import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { XPublisher } from "zeromq";

/** What became, or should become, of the frames fed so far. The figures of the misp plugin must be the same. */
export interface Fed {
  frames: number;
  mapped: number;
  skipped: Record<string, number>;
  refused: Record<string, number>;
  /** Messages on the bus: `ADD`, `EDIT`, `REMOVE`. */
  updates: Record<string, number>;
}

/** One frame of the recording, and what the misp plugin makes of it. */
export interface Recorded {
  readonly bytes: Buffer;
  /** `mapped`, `skipped:<reason>` or `refused:<reason>` */
  readonly expect: string;
  readonly updates: readonly string[];
}

export type Report = { readonly event: "listening"; readonly port: number } | { readonly event: "joined" } | ({ readonly event: "fed" | "through" | "heartbeat" } & Fed);

export interface ReplayOptions {
  /** 0: any free port. */
  readonly port: number;
  /** Frames per second. */
  readonly rate: number;
  /** End when the recording is through; else go on with a heartbeat every ten seconds. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  readonly report: (report: Report) => void;
}

/** The two topics the misp plugin subscribes to; nothing is fed before it has. */
const topics = ["misp_json_attribute", "misp_json_self"];
/** Frames between two reports. */
const reportEvery = 50;

export function readRecording(): Recorded[] {
  const text = readFileSync(new URL("../data/misp-feed.ndjson", import.meta.url), "utf8");
  return text.trimEnd().split("\n").map((line) => {
    const { frame, base64, expect, updates = [] } = JSON.parse(line) as { frame?: string; base64?: string; expect: string; updates?: string[] };
    return { bytes: frame === undefined ? Buffer.from(base64 ?? "", "base64") : Buffer.from(frame), expect, updates };
  });
}

/** Publishes the recording as MISP would: on a ZeroMQ PUB socket at 127.0.0.1, once, to whoever subscribed. */
export async function replay({ port, rate, once, signal, report }: ReplayOptions): Promise<Fed> {
  const recording = readRecording();
  // As PUB, which cannot say who subscribed. Frames the peer has not taken yet are given five seconds at the end.
  const socket = new XPublisher({ linger: 5_000, noDrop: true, sendHighWaterMark: 10_000, maxMessageSize: 4_096 });
  const close = (): void => {
    socket.linger = 0;
    socket.close();
  };
  const fed: Fed = { frames: 0, mapped: 0, skipped: {}, refused: {}, updates: {} };
  const send = async (one: Recorded): Promise<void> => {
    await socket.send(one.bytes);
    book(fed, one);
  };
  try {
    await socket.bind(`tcp://127.0.0.1:${port === 0 ? "*" : port}`);
    signal.throwIfAborted();
    signal.addEventListener("abort", close, { once: true });
    report({ event: "listening", port: Number(socket.lastEndpoint?.split(":").at(-1)) });
    await subscribed(socket);
    report({ event: "joined" });
    for (const one of recording) {
      if (fed.frames > 0) await sleep(1_000 / rate, undefined, { signal });
      await send(one);
      if (fed.frames % reportEvery === 0) report({ event: "fed", ...fed });
    }
    report({ event: "through", ...fed });
    for (let uptime = 10; !once; uptime += 10) {
      await sleep(10_000, undefined, { signal });
      const status = "I'm being so sincere right now.";
      await send({ bytes: Buffer.from(`misp_json_self ${JSON.stringify({ status, uptime })}`), expect: "skipped:heartbeat", updates: [] });
      report({ event: "heartbeat", ...fed });
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    signal.removeEventListener("abort", close);
    if (!socket.closed) socket.close();
  }
  return fed;
}

/** Resolves when somebody has subscribed to both topics, or to all. */
async function subscribed(socket: XPublisher): Promise<void> {
  const missing = new Set(topics);
  while (missing.size > 0) {
    const [frame] = await socket.receive();
    if (frame?.[0] !== 1) continue;
    const prefix = frame.subarray(1).toString();
    for (const topic of missing) if (topic.startsWith(prefix)) missing.delete(topic);
  }
}

function book(fed: Fed, { expect, updates }: Recorded): void {
  const [outcome, reason = ""] = expect.split(":");
  const up = (counts: Record<string, number>, key: string): void => void (counts[key] = (counts[key] ?? 0) + 1);
  fed.frames++;
  if (outcome === "mapped") fed.mapped++;
  else up(outcome === "skipped" ? fed.skipped : fed.refused, reason);
  for (const update of updates) up(fed.updates, update);
}
