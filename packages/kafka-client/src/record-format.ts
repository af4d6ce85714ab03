import type { OutgoingRecord } from "./contract.ts";

/**
 * Records as they stand in a batch of Kafka's message format 2 (https://kafka.apache.org/documentation/#record), one after the other. Their times
 * are the batch's own, and their offsets count from 0.
 *
 * length: varint, attributes: int8, timestampDelta: varlong, offsetDelta: varint, key and value: varint length and bytes,
 * headers: varint count, then for each varint length and text, varint length and bytes; varints are zig-zag.
 */
export function encodeRecords(records: readonly OutgoingRecord[]): Buffer {
  const sizes = records.map(sizeOfBody);
  const out = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + sizeOfVarint(size) + size, 0));
  let at = 0;
  records.forEach(({ key, value, headers }, offset) => {
    at = writeVarint(out, at, sizes[offset] ?? 0);
    // No attributes, no difference to the time of the batch.
    out[at++] = 0;
    out[at++] = 0;
    at = writeVarint(out, at, offset);
    at = writeText(out, at, key);
    at = writeVarint(out, at, value.length);
    at += value.copy(out, at);
    const names = Object.keys(headers);
    at = writeVarint(out, at, names.length);
    for (const name of names) at = writeText(out, writeText(out, at, name), headers[name] ?? "");
  });
  return out;
}

function sizeOfBody({ key, value, headers }: OutgoingRecord, offset: number): number {
  const names = Object.keys(headers);
  let size = 2 + sizeOfVarint(offset) + sizeOfText(key) + sizeOfVarint(value.length) + value.length + sizeOfVarint(names.length);
  for (const name of names) size += sizeOfText(name) + sizeOfText(headers[name] ?? "");
  return size;
}

function sizeOfText(text: string): number {
  const length = Buffer.byteLength(text);
  return sizeOfVarint(length) + length;
}

/** @param value 0 to 2³⁰-1: lengths, counts and offsets in a batch, whose zig-zag form is twice themselves */
function sizeOfVarint(value: number): number {
  let bytes = 1;
  for (let rest = value >>> 6; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}

function writeVarint(out: Buffer, at: number, value: number): number {
  let rest = value * 2;
  for (; rest > 127; rest >>>= 7) out[at++] = (rest & 127) | 128;
  out[at++] = rest;
  return at;
}

function writeText(out: Buffer, at: number, text: string): number {
  const start = writeVarint(out, at, Buffer.byteLength(text));
  return start + out.write(text, start);
}
