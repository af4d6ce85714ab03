import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { LineBlocks } from "./line-blocks.ts";

/** Bytes read at a time. */
export const pieceSize = 524_288;

/** Bytes behind a piece for the end of its last line; of a longer one a copy is made. */
const lineRoom = 8_192;
const lineFeed = 0x0a;
const newLine = Buffer.from("\n");

/** Bytes of a block that {@link LineBlocks} makes at most. */
export function blockSize(maxLine: number): number {
  return maxLine + pieceSize + 1;
}

/**
 * Whole lines of a file, from its end to its beginning: each block in the file's order, the last block first. While one is searched, the next is read.
 * A block is good until the next is asked for, and empty where no line ends, so that whoever searches can leave.
 */
export async function* blocksFromEnd(file: FileHandle, maxLine: number, left: (lines: number) => void): AsyncGenerator<Buffer> {
  let { size: end } = await file.stat();
  const room = Math.min(end, pieceSize) + lineRoom;
  let [free, other] = [Buffer.allocUnsafe(room), Buffer.allocUnsafe(room)];
  let reading = readBefore(file, end, free);
  /** What the next block ends with: the end of its last line. Undefined if that is not wanted. */
  let tail: Buffer | undefined = Buffer.alloc(0);
  while (end > 0) {
    const { buffer, bytesRead } = await reading;
    const start = Math.max(0, end - pieceSize);
    [free, other] = [other, free];
    reading = readBefore(file, start, free);
    // Somebody cut it meanwhile.
    if (bytesRead < end - start) tail = undefined;
    end = start;
    const piece = buffer.subarray(0, bytesRead);
    let text: Buffer = tail === undefined ? piece.subarray(0, piece.lastIndexOf(lineFeed) + 1) : joined(buffer, bytesRead, tail);
    if (text.length > 0 && text[text.length - 1] !== lineFeed) text = joined(buffer, text.length, newLine);
    const first = start === 0 ? 0 : text.indexOf(lineFeed) + 1;
    tail = text.length > 0 ? Buffer.from(text.subarray(0, first)) : undefined;
    if (tail !== undefined && tail.length > maxLine) {
      left(1);
      tail = undefined;
    }
    yield text.subarray(first);
  }
}

function readBefore(file: FileHandle, end: number, buffer: Buffer): Promise<{ readonly buffer: Buffer; readonly bytesRead: number }> {
  const length = Math.min(end, pieceSize);
  const reading = file.read(buffer, 0, length, end - length);
  // Nobody may ask for it any more.
  reading.catch(() => undefined);
  return reading;
}

/** The first bytes of a buffer, and more behind them. */
function joined(buffer: Buffer, length: number, more: Buffer): Buffer {
  if (length + more.length > buffer.length) return Buffer.concat([buffer.subarray(0, length), more]);
  more.copy(buffer, length);
  return buffer.subarray(0, length + more.length);
}

/** Whole lines of a compressed file, blocks like those of {@link blocksFromEnd}. Throws what is wrong with it once what could be read has been given. */
export async function* blocksOfGzip(path: string, maxLine: number, left: (lines: number) => void): AsyncGenerator<Buffer> {
  const lines = new LineBlocks(maxLine);
  const source = createReadStream(path, { highWaterMark: pieceSize });
  const unzipped = createGunzip({ chunkSize: pieceSize });
  source.on("error", (thrown) => unzipped.destroy(thrown));
  try {
    for await (const piece of source.pipe(unzipped) as AsyncIterable<Buffer>) yield lines.push(piece);
    yield lines.end();
  } finally {
    if (lines.long > 0) left(lines.long);
    source.destroy();
    unzipped.destroy();
  }
}
