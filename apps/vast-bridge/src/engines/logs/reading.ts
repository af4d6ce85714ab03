import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { LineBlocks } from "./line-blocks.ts";

/** Bytes read at a time. */
export const pieceSize = 262_144;

const lineFeed = 0x0a;

/** Bytes of a block that {@link LineBlocks} makes at most. */
export function blockSize(maxLine: number): number {
  return maxLine + pieceSize + 1;
}

/** Whole lines of a file, from its end to its beginning: each block in the file's order, the last block first. */
export async function* blocksFromEnd(file: FileHandle, maxLine: number, left: (lines: number) => void): AsyncGenerator<Buffer> {
  let { size: end } = await file.stat();
  /** What the next block ends with: the end of its last line. */
  let tail: Buffer | undefined = Buffer.alloc(0);
  while (end > 0) {
    const start = Math.max(0, end - pieceSize);
    const piece = Buffer.allocUnsafe(end - start);
    const { bytesRead } = await file.read(piece, 0, piece.length, start);
    // Somebody cut it meanwhile.
    if (bytesRead < piece.length) tail = undefined;
    end = start;
    let text: Buffer = piece.subarray(0, bytesRead);
    if (tail === undefined) {
      const cut = text.lastIndexOf(lineFeed) + 1;
      if (cut === 0) continue;
      text = text.subarray(0, cut);
    } else if (tail.length > 0) text = Buffer.concat([text, tail]);
    if (text.length > 0 && text[text.length - 1] !== lineFeed) text = Buffer.concat([text, Buffer.from("\n")]);
    const first = start === 0 ? 0 : text.indexOf(lineFeed) + 1;
    tail = Buffer.from(text.subarray(0, first));
    if (tail.length > maxLine) {
      left(1);
      tail = undefined;
    }
    if (first < text.length) yield text.subarray(first);
  }
}

/** Whole lines of a compressed file. Throws what is wrong with it once what could be read has been given. */
export async function* blocksOfGzip(path: string, maxLine: number, left: (lines: number) => void): AsyncGenerator<Buffer> {
  const lines = new LineBlocks(maxLine);
  const source = createReadStream(path, { highWaterMark: pieceSize });
  const unzipped = createGunzip({ chunkSize: pieceSize });
  source.on("error", (thrown) => unzipped.destroy(thrown));
  try {
    for await (const piece of source.pipe(unzipped) as AsyncIterable<Buffer>) {
      const block = lines.push(piece);
      if (block.length > 0) yield block;
    }
    const last = lines.end();
    if (last.length > 0) yield last;
  } finally {
    if (lines.long > 0) left(lines.long);
    source.destroy();
    unzipped.destroy();
  }
}
