import { connect, type Socket } from "node:net";
import { setImmediate as immediate } from "node:timers/promises";
import { onTestFinished } from "vitest";

/** ZMTP/1.0 greeting of a peer without a name: older than subscriptions, so that it takes whatever is sent. */
export const oldGreeting: Buffer = Buffer.from([0x01, 0x00]);

/** A TCP connection that sends these bytes and collects what comes back. */
export async function rawPeer(port: number, bytes: Buffer): Promise<{ socket: Socket; received: () => Buffer }> {
  const chunks: Buffer[] = [];
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.once("connect", () => resolve()));
  await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
  return { socket, received: () => Buffer.concat(chunks) };
}

/** Connections that send bytes and leave, so many at a time. */
export async function storm(ports: readonly number[], count: number, bytes: (n: number) => Buffer): Promise<void> {
  let next = 0;
  async function one(): Promise<void> {
    while (next < count) {
      const n = next++;
      await new Promise<void>((resolve) => {
        const socket = connect(ports[n % ports.length] ?? 0, "127.0.0.1");
        socket.on("error", () => undefined).on("close", () => resolve());
        socket.on("connect", () => socket.end(bytes(n)));
        socket.resume();
        socket.setTimeout(2_000, () => socket.destroy());
      });
      await immediate();
    }
  }
  await Promise.all(Array.from({ length: 20 }, one));
}

/** One message as ZMTP/1.0 writes it. */
export function oldFrame(content: Buffer): Buffer {
  const length = content.length + 1;
  const head = length < 255 ? Buffer.from([length, 0]) : Buffer.concat([Buffer.from([0xff]), bigEndian(length), Buffer.from([0])]);
  return Buffer.concat([head, content]);
}

function bigEndian(n: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(n));
  return bytes;
}
