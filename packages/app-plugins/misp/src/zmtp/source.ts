import { Buffer } from "node:buffer";

/** Something that is not ZMTP came. */
export class ZmtpFault extends Error {}

export interface ZmtpFrame {
  /** Of the protocol itself, not a message. */
  readonly command: boolean;
  /** A view of what came: it must be read before more is waited for. */
  readonly body: Buffer;
}

const long = 0b10, command = 0b100, reserved = 0b1111_1000;

/** What a peer sends, cut into frames (ZMTP 3.1, ZeroMQ RFC 37, "traffic"): flags, a length of one byte or of eight, a body. */
export class Source {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #maxBytes: number;
  /** What is being read, from where on, and what came behind it. */
  #here: Buffer = Buffer.alloc(0);
  #at = 0;
  #ahead: Buffer = this.#here;
  /** Bytes that have to be here before anything can be taken. */
  #wanted = 0;
  /** The peer is waited for. */
  waiting = false;

  /** @param maxBytes of one frame */
  constructor(chunks: AsyncIterable<Buffer>, maxBytes: number) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#maxBytes = maxBytes;
  }

  /** Waits for as much as what was last asked for needs. @throws ZmtpFault at the end; what the stream throws */
  async more(): Promise<void> {
    const pieces = [this.#here.subarray(this.#at)];
    let lacking = this.#wanted - (this.#here.length - this.#at);
    while (lacking > 0) {
      if (this.#ahead.length === 0) this.#ahead = await this.#read();
      // Of what came, only the end of a frame that began before is copied, once.
      const taken = lacking === this.#wanted ? this.#ahead.length : Math.min(lacking, this.#ahead.length);
      pieces.push(this.#ahead.subarray(0, taken));
      this.#ahead = this.#ahead.subarray(taken);
      lacking -= taken;
    }
    this.#at = 0;
    this.#here = pieces.length === 2 && pieces[0]?.length === 0 ? (pieces[1] as Buffer) : Buffer.concat(pieces);
  }

  async #read(): Promise<Buffer> {
    this.waiting = true;
    const next: IteratorResult<Buffer, undefined> = await this.#chunks.next();
    this.waiting = false;
    if (next.done === true) throw new ZmtpFault("the peer closed the connection");
    return next.value;
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
}
