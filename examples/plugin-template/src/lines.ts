/** Bytes of a line from a tool. */
const longest = 64 * 1024;

/**
 * The lines of a stream, without their ends. Taken no faster than the loop over them turns.
 * @throws RangeError on a line longer than 64 KiB: what sends it does not speak this protocol
 */
export async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > longest) throw new RangeError("a line is too long");
  }
}
