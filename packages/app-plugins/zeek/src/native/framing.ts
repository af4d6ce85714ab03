import { Buffer } from "node:buffer";
import { refuse } from "../wire/refusal.ts";

/** Bytes of the length before every frame: unsigned, big-endian. */
export const prefixLength = 4;

/**
 * Cuts a stream into frames. A frame longer than `limit` bytes is refused when its length has come, so that never more than the limit is held, and only what
 * has really come.
 */
export class FrameSplitter {
  readonly #limit: number;
  readonly #chunks: Buffer[] = [];
  #held = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes that came and make no frame yet. */
  get held(): number {
    return this.#held;
  }

  /** The frames that are whole with this chunk, without their lengths. They are views: copy what is to stay. @throws WireRefused */
  *push(chunk: Buffer): Generator<Buffer, void, undefined> {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    while (this.#held >= prefixLength) {
      const length = this.#announced();
      if (length > this.#limit) refuse(`a frame of ${length} bytes was announced, ${this.#limit} are the most`);
      if (this.#held < prefixLength + length) return;
      yield this.#take(prefixLength + length).subarray(prefixLength);
    }
  }

  #announced(): number {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= prefixLength) return first.readUInt32BE(0);
    const joined = Buffer.concat(this.#chunks.splice(0));
    this.#chunks.push(joined);
    return joined.readUInt32BE(0);
  }

  #take(length: number): Buffer {
    const first = this.#chunks[0] as Buffer;
    const bytes = first.length >= length ? first : Buffer.concat(this.#chunks.splice(0));
    if (bytes !== first) this.#chunks.unshift(bytes);
    if (bytes.length === length) this.#chunks.shift();
    else this.#chunks[0] = bytes.subarray(length);
    this.#held -= length;
    return bytes.subarray(0, length);
  }
}
