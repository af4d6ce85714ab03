import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** Milliseconds a broker may take to answer before it counts as not ready. */
const patience = 20_000;

/** Whether somebody listens at a port of 127.0.0.1. */
export function listens(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  return once(socket, "connect").then(() => true, () => false).finally(() => socket.destroy());
}

/** Sends a question and gives what has come so far to `judge` until it has a verdict. A connection that ends before is a no. */
export function answerOf(socket: Socket, question: Buffer, judge: (received: Buffer) => boolean | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const end = (verdict: boolean): void => {
      socket.destroy();
      resolve(verdict);
    };
    socket.setTimeout(patience, () => end(false));
    socket.on("error", () => end(false));
    socket.on("close", () => end(false));
    socket.on("data", (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const verdict = judge(received);
      if (verdict !== undefined) end(verdict);
    });
    socket.write(question);
  });
}
