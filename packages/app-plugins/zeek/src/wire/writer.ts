import { Buffer } from "node:buffer";
import type { Text } from "./value.ts";

/** Characters; their number takes one byte then. */
const shortText = 96;

const nothing = Buffer.alloc(0);
/** A number on its way: the engine writes these in place, while Buffer's methods for 64 bits make several big integers of one. */
const eight = new DataView(new ArrayBuffer(8)), eightBytes = new Uint8Array(eight.buffer);

/** Collects bytes in memory that is taken when the first one comes, and grows as needed. */
export class Writer {
  readonly #room: number;
  #bytes = nothing;
  #length = 0;

  /** @param room bytes to take at a time */
  constructor(room = 256) {
    this.#room = room;
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#grow(1);
    this.#bytes[at] = value;
  }

  u16(value: number): void {
    const at = this.#grow(2);
    this.#bytes.writeUInt16BE(value, at);
  }

  u32(value: number): void {
    const at = this.#grow(4);
    this.#bytes.writeUInt32BE(value, at);
  }

  u64(value: bigint): void {
    eight.setBigUint64(0, value);
    this.bytes(eightBytes);
  }

  i64(value: bigint): void {
    eight.setBigInt64(0, value);
    this.bytes(eightBytes);
  }

  f64(value: number): void {
    eight.setFloat64(0, value);
    this.bytes(eightBytes);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** LEB128, low bits first. */
  size(value: number): void {
    while (value >= 0x80) {
      this.u8((value % 0x80) | 0x80);
      value = Math.floor(value / 0x80);
    }
    this.u8(value);
  }

  /** Bytes behind their length. */
  text(text: Text): void {
    if (typeof text !== "string") {
      this.size(text.length);
      this.bytes(text);
      return;
    }
    if (text.length < shortText && this.#short(text)) return;
    const length = Buffer.byteLength(text);
    this.size(length);
    const at = this.#grow(length);
    this.#bytes.write(text, at, length, "utf8");
  }

  /** Text of a few ASCII letters, as most is, without a call into Node's C++ part. */
  #short(text: string): boolean {
    const length = text.length;
    const start = this.#length;
    const at = this.#grow(length + 1);
    const bytes = this.#bytes;
    bytes[at] = length;
    for (let n = 0; n < length; n++) {
      const code = text.charCodeAt(n);
      if (code > 0x7f) {
        this.#length = start;
        return false;
      }
      bytes[at + 1 + n] = code;
    }
    return true;
  }

  /** Leaves room for a number that is known later; returns its place. */
  gap(length: number): number {
    return this.#grow(length);
  }

  fillU32(at: number, value: number): void {
    this.#bytes.writeUInt32BE(value, at);
  }

  /** What was written, which is the receiver's from here on. What is written next goes behind it, unless that had grown beyond the room. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#bytes = this.#bytes.length > this.#room ? nothing : this.#bytes.subarray(this.#length);
    this.#length = 0;
    return taken;
  }

  /** Forgets what was written from there on. */
  truncate(length: number): void {
    this.#length = length;
  }

  #grow(length: number): number {
    const at = this.#length;
    const needed = at + length;
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, at * 2, this.#room));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    this.#length = needed;
    return at;
  }
}
