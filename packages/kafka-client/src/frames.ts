/** Cuts a stream into Kafka's frames: a length of 4 bytes, then as many bytes. */
export interface FrameSplitter {
  /** The frames that this chunk completes, each with its length in front. @throws RangeError when one is larger than allowed */
  push(chunk: Buffer): Buffer[];
}

const lengthBytes = 4;

export function frameSplitter(maxBytes: number): FrameSplitter {
  let chunks: Buffer[] = [];
  let held = 0;
  let needed = lengthBytes;
  return {
    push(chunk) {
      chunks.push(chunk);
      held += chunk.length;
      if (held < needed) return [];
      let bytes = chunks.length === 1 ? chunk : Buffer.concat(chunks, held);
      const frames: Buffer[] = [];
      for (needed = lengthBytes; bytes.length >= needed; needed = lengthBytes) {
        const length = bytes.readInt32BE(0);
        if (length < 0 || length > maxBytes) throw new RangeError(`an answer of ${length} bytes, where ${maxBytes} are allowed`);
        needed += length;
        if (bytes.length < needed) break;
        frames.push(bytes.subarray(0, needed));
        bytes = bytes.subarray(needed);
      }
      chunks = bytes.length === 0 ? [] : [bytes];
      held = bytes.length;
      return frames;
    },
  };
}
