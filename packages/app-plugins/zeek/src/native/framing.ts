import type { Buffer } from "node:buffer";
import { refuse } from "../wire/refusal.ts";
import { Writer } from "../wire/writer.ts";

/** Bytes of the length before every frame: unsigned, big-endian. */
export const prefixLength = 4;

/**
 * Cuts a stream into frames. A frame longer than `limit` bytes is refused when its length has come. Of a frame that is not whole yet no more is held than twice what
 * has really come, in one piece of memory, however small the pieces were that it came in.
 */
export class FrameSplitter {
  limit: number;
  /** The frame that is not whole yet. */
  readonly #begun = new Writer(1_024);
  /** Bytes until it is, or until its length is known. */
  #wanted = prefixLength;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Bytes that came and make no frame yet. */
  get held(): number {
    return this.#begun.length;
  }

  /** The frames that are whole with this chunk, without their lengths. They are views: copy what is to stay. @throws WireRefused */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    let bytes = chunk;
    if (this.#begun.length > 0) {
      this.#begun.bytes(chunk);
      if (this.#begun.length < this.#wanted) return;
      bytes = this.#begun.take();
    }
    let at = 0;
    for (;;) {
      this.#wanted = prefixLength;
      if (bytes.length - at < prefixLength) break;
      const length = bytes.readUInt32BE(at);
      if (length > this.limit) refuse(`a frame of ${length} bytes was announced, ${this.limit} are the most`);
      this.#wanted += length;
      if (bytes.length - at < this.#wanted) break;
      yield bytes.subarray(at + prefixLength, (at += this.#wanted));
    }
    if (at < bytes.length) this.#begun.bytes(bytes.subarray(at));
  }
}
