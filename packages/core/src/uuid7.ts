import { randomFillSync } from "node:crypto";

const pool: Buffer = Buffer.allocUnsafe(16 * 256);
let next = pool.length;

/** A UUID of version 7 (RFC 9562 §5.7): sorts by time of making. */
export function uuid7(): string {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  const at = next;
  next += 16;
  pool.writeUIntBE(Date.now(), at, 6);
  pool[at + 6] = ((pool[at + 6] as number) & 0x0f) | 0x70;
  pool[at + 8] = ((pool[at + 8] as number) & 0x3f) | 0x80;
  const hex = pool.toString("hex", at, at + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
