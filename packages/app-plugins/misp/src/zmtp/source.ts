import { Buffer } from "node:buffer";
import type { Readable } from "node:stream";
import { setImmediate as immediate } from "node:timers/promises";
import { ZmtpFault } from "./fault.ts";

export interface ZmtpFrame {
  /** Of the protocol itself, not a message. */
  readonly command: boolean;
  /** A view of what came: it must be read before more is waited for. */
  readonly body: Buffer;
}

const long = 0b10, command = 0b100, reserved = 0b1111_1000;

/** Bytes read ahead of who takes them: a publisher throws away what its own buffers and the kernel's do not hold. */
const mostAhead = 32 * 1024 * 1024;
/** Bytes a chunk takes beside its content, about. */
const overhead = 512;

/**
 * What a peer sends, cut into frames (ZMTP 3.1, ZeroMQ RFC 37, "traffic"): flags, a length of one byte or of eight, a body. What came before the
 * stream ended or broke comes out before that is told; what came before this side destroyed it does not.
 */
export class Source {
  readonly #stream: Readable;
  readonly #maxBytes: number;
  /** What came and is not looked at yet. */
  readonly #ahead: Buffer[] = [];
  #aheadBytes = 0;
  #over: Error | undefined;
  #wake: (() => void) | undefined;
  /** What is looked at, and from where on. */
  #here: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Bytes that have to be here before anything can be taken. */
  #wanted = 0;

  /** @param maxBytes of one frame */
  constructor(stream: Readable, maxBytes: number) {
    this.#stream = stream;
    this.#maxBytes = maxBytes;
    stream.on("data", (chunk: Buffer) => this.#keep(chunk));
    stream.on("end", () => this.#end(new ZmtpFault("the peer closed the connection")));
    stream.on("error", (error) => this.#end(error));
    stream.on("close", () => {
      if (this.#over === undefined) this.#ahead.length = 0;
      this.#end(new ZmtpFault("the connection is closed"));
    });
  }

  /** Nothing is here: the peer is waited for. */
  get waiting(): boolean {
    return this.#wake !== undefined;
  }

  /** Waits for as much as what was last asked for needs. @throws ZmtpFault at the end; what the stream failed with */
  async more(): Promise<void> {
    let length = this.#here.length - this.#at;
    if (length === 0) {
      this.#here = await this.#next();
      this.#at = 0;
      length = this.#here.length;
    }
    if (length >= this.#wanted) return;
    // What came in pieces is put together once, and no more of what follows than it takes.
    const whole = Buffer.allocUnsafe(this.#wanted);
    this.#here.copy(whole, 0, this.#at);
    while (length < whole.length) {
      const chunk = await this.#next();
      const taken = chunk.copy(whole, length);
      length += taken;
      if (taken < chunk.length) this.#putBack(chunk.subarray(taken));
    }
    this.#here = whole;
    this.#at = 0;
  }

  /** So many bytes, if they are here. */
  bytes(length: number): Buffer | undefined {
    const end = this.#at + length;
    if (end > this.#here.length) return this.#lack(length);
    const bytes = this.#here.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** The next frame, if all of it is here. @throws ZmtpFault for what is none, or too large */
  frame(): ZmtpFrame | undefined {
    const here = this.#here, at = this.#at, left = here.length - at;
    if (left < 2) return this.#lack(2);
    const flags = here[at] as number;
    if ((flags & reserved) !== 0) throw new ZmtpFault("what came is no frame of ZMTP 3");
    let head = 2, size = here[at + 1] as number;
    if ((flags & long) !== 0) {
      head = 9;
      if (left < head) return this.#lack(head);
      size = here.readUInt32BE(at + 1) * 2 ** 32 + here.readUInt32BE(at + 5);
    }
    if (size > this.#maxBytes) throw new ZmtpFault(`a frame of ${size} bytes: at most ${this.#maxBytes} are taken`);
    if (left < head + size) return this.#lack(head + size);
    this.#at = at + head + size;
    return { command: (flags & command) !== 0, body: here.subarray(at + head, this.#at) };
  }

  #lack(length: number): undefined {
    this.#wanted = length;
  }

  #keep(chunk: Buffer): void {
    this.#ahead.push(chunk);
    this.#aheadBytes += chunk.length + overhead;
    if (this.#aheadBytes > mostAhead) this.#stream.pause();
    this.#stir();
  }

  #putBack(rest: Buffer): void {
    this.#ahead.unshift(rest);
    this.#aheadBytes += rest.length + overhead;
  }

  #end(reason: Error): void {
    this.#over ??= reason;
    this.#stir();
  }

  #stir(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  async #next(): Promise<Buffer> {
    // However much has come, the rest of the process has its turn.
    if (this.#ahead.length > 0) await immediate();
    for (;;) {
      const chunk = this.#ahead.shift();
      if (chunk !== undefined) return this.#release(chunk);
      if (this.#over !== undefined) throw this.#over;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #release(chunk: Buffer): Buffer {
    this.#aheadBytes -= chunk.length + overhead;
    if (this.#stream.isPaused() && this.#aheadBytes < mostAhead / 2) this.#stream.resume();
    return chunk;
  }
}
