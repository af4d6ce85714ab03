import { setImmediate as immediate } from "node:timers/promises";
import type { Host } from "@threatbus/core";
import type { Reply as ReplySocket } from "zeromq";
import { answer, type Desk } from "./requests.ts";

/** Milliseconds until a reply that could not be sent is tried again. */
const retry = 20;

/** The `manage` port: answers requests one at a time, each exactly once, until it is closed. */
export async function serveManage(socket: ReplySocket, desk: Desk, ports: { readonly pub: number; readonly sub: number }, host: Host): Promise<void> {
  const count = (status: string): void => host.metrics.counter("requests", { status }).add();
  let reply: string | undefined;
  while (!socket.closed) {
    try {
      if (reply === undefined) {
        const outcome = await answer(await socket.receive(), desk, ports);
        count(outcome.status);
        reply = JSON.stringify(outcome);
      }
      await socket.send(reply);
      reply = undefined;
    } catch {
      // Garbage makes a receive fail, which says nothing about the next. A reply that did not leave must, or nothing is received again.
      await (reply === undefined ? immediate() : host.clock.sleep(retry));
    }
  }
}
