/** WebSocket frames by hand (RFC 6455 §5.2), for what no library would send. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

const opcodes = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A frame as a server sends it. */
export function frame(kind: keyof typeof opcodes, payload: Buffer, last = true): Buffer {
  const head = [(last ? 0x80 : 0) | opcodes[kind]];
  if (payload.length < 126) head.push(payload.length);
  else if (payload.length < 65_536) head.push(126, payload.length >> 8, payload.length & 255);
  else head.push(127, 0, 0, 0, 0, payload.length >>> 24, (payload.length >> 16) & 255, (payload.length >> 8) & 255, payload.length & 255);
  return Buffer.concat([Buffer.from(head), payload]);
}

/** A text message in fragments of these lengths. */
export function fragmented(payload: Buffer, lengths: readonly number[] = [payload.length]): Buffer {
  let at = 0;
  return Buffer.concat(lengths.map((length, n) => frame(n === 0 ? "text" : "continuation", payload.subarray(at, (at += length)), n === lengths.length - 1)));
}

export function closing(code: number, reason: string): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(code);
  return frame("close", Buffer.concat([bytes, Buffer.from(reason)]));
}

/** The server's side of one connection, its upgrade done. */
export class RawConnection {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  readonly gone: Promise<unknown>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on("error", () => undefined);
    this.gone = new Promise((resolve) => socket.once("close", () => {
      resolve(undefined);
      this.#wake();
    }));
    onTestFinished(() => void socket.destroy());
  }

  async upgrade(answer?: string): Promise<string> {
    const end = await this.#until(() => this.#bytes.indexOf("\r\n\r\n"));
    const request = this.#bytes.toString("latin1", 0, end);
    this.#bytes = this.#bytes.subarray(end + 4);
    const key = /^sec-websocket-key: (.*)$/im.exec(request)?.[1] ?? "";
    const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
    this.socket.write(answer ?? `HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: ${accept}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`);
    return request;
  }

  /** The client's next frame, its mask taken off. The client sends no fragments. */
  async frame(): Promise<{ kind: string; payload: Buffer }> {
    await this.#until(() => (this.#bytes.length >= 6 ? 1 : -1));
    const short = (this.#bytes[1] ?? 0) & 127;
    const head = short === 126 ? 4 : short === 127 ? 10 : 2;
    await this.#until(() => (this.#bytes.length >= head + 4 ? 1 : -1));
    const length = short === 126 ? this.#bytes.readUInt16BE(2) : short === 127 ? Number(this.#bytes.readBigUInt64BE(2)) : short;
    await this.#until(() => (this.#bytes.length >= head + 4 + length ? 1 : -1));
    const mask = this.#bytes.subarray(head, head + 4);
    const payload = Buffer.from(this.#bytes.subarray(head + 4, head + 4 + length).map((byte, at) => byte ^ (mask[at % 4] ?? 0)));
    const opcode = (this.#bytes[0] ?? 0) & 15;
    this.#bytes = this.#bytes.subarray(head + 4 + length);
    return { kind: Object.entries(opcodes).find(([, code]) => code === opcode)?.[0] ?? String(opcode), payload };
  }

  async #until(look: () => number): Promise<number> {
    for (;;) {
      const found = look();
      if (found >= 0) return found;
      if (this.socket.destroyed) throw new Error("the connection ended");
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

export async function rawServer(): Promise<{ port: number; accept(): Promise<RawConnection> }> {
  const waiting: RawConnection[] = [];
  let wake: () => void = () => undefined;
  const server = createServer((socket) => {
    waiting.push(new RawConnection(socket));
    wake();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return {
    port: (server.address() as { port: number }).port,
    async accept() {
      while (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return waiting.shift() as RawConnection;
    },
  };
}
