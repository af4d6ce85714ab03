import type { Buffer} from "node:buffer";
import { isUtf8 } from "node:buffer";
import { refuse } from "./refusal.ts";
import type { Text } from "./value.ts";

/** Reads bytes in order; never beyond their end. */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  u64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#take(8));
  }

  i64(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  /** A length or a number of items: LEB128, low bits first, 32 bits. */
  size(): number {
    let size = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      size += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return size < 2 ** 32 ? size : refuse("a length has more than 32 bits");
    }
    return refuse("a length has more than 32 bits");
  }

  /** Bytes behind their length: text if they are UTF-8, else a copy of them. */
  text(): Text {
    const bytes = this.bytes(this.size());
    const text = bytes.toString();
    return text.includes("\ufffd") && !isUtf8(bytes) ? Uint8Array.from(bytes) : text;
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) refuse("cut short");
    this.#at = at + length;
    return at;
  }
}
