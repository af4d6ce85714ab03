import { Buffer } from "node:buffer";
import { maxText } from "../../watchlist.ts";

/** Bytes between the quotes; longer strings are no value of anything: each character takes up to six. */
const limit = 6 * maxText;
const backslash = 0x5c, u = 0x75;
/** What stands for a character behind a backslash (RFC 8259 §7). */
const escapes: Uint8Array = new Uint8Array(256);
for (const [name, byte] of Object.entries({ '"': 0x22, "\\": 0x5c, "/": 0x2f, b: 0x08, f: 0x0c, n: 0x0a, r: 0x0d, t: 0x09 })) escapes[name.charCodeAt(0)] = byte;

/** Room to write one value into. */
export class Scratch {
  readonly bytes: Uint8Array = new Uint8Array(limit + 8);
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly #buffer: Buffer = Buffer.from(this.bytes.buffer);

  /** Returns its length in bytes, 0 if it is too long. */
  write(text: string): number {
    return text.length * 3 > limit ? 0 : this.#buffer.write(text);
  }

  /** Undoes the escapes. Returns the length; 0 for what is no JSON string or too long, -1 if there is more than ASCII in it. */
  unescape(text: Buffer): number {
    if (text.length > limit) return 0;
    const { bytes } = this;
    let length = 0;
    for (let at = 0; at < text.length; at++) {
      const byte = text[at] as number;
      if (byte >= 0x80) return -1;
      if (byte !== backslash) bytes[length++] = byte;
      else if (text[++at] !== u) {
        const escaped = escapes[text[at] ?? 0] as number;
        if (escaped === 0) return 0;
        bytes[length++] = escaped;
      } else {
        const code = Number.parseInt(text.toString("latin1", at + 1, at + 5), 16);
        if (!(code < 0x80)) return -1;
        bytes[length++] = code;
        at += 4;
      }
    }
    return length;
  }
}
