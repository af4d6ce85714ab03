import type { Buffer } from "node:buffer";
import { setImmediate as immediate } from "node:timers/promises";
import type { Host } from "@threatbus/core";
import type { Router } from "zeromq";
import { answer, type Desk, type Ports } from "./requests.ts";

/**
 * The `manage` port: answers requests one at a time, each exactly once, until it is closed. A ROUTER that keeps the envelopes itself: it
 * looks like a REP from outside, but a REP never answers anybody again once garbage has reached it.
 */
export async function serveManage(socket: Router, desk: Desk, ports: Ports, host: Host): Promise<void> {
  while (!socket.closed) {
    try {
      const frames = await socket.receive();
      const start = bodyOf(frames);
      if (start === undefined) {
        host.metrics.counter("zmq_requests", { status: "no request" }).add();
        continue;
      }
      const reply = await answer(frames.slice(start), desk, ports);
      host.metrics.counter("zmq_requests", { status: reply.status }).add();
      await socket.send([...frames.slice(0, start), JSON.stringify(reply)]);
    } catch {
      // Garbage makes a receive fail, which says nothing about the next. A reply fails when its asker is gone.
      await immediate();
    }
  }
}

/** Where the request begins: behind the way back to the asker, which ends with an empty frame. */
function bodyOf(frames: readonly Buffer[]): number | undefined {
  const end = frames.findIndex((frame, at) => at > 0 && frame.length === 0);
  return end < 0 || end + 1 === frames.length ? undefined : end + 1;
}
