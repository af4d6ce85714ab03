/**
 * The lines of a stream, without their ends. Taken no faster than the loop over them turns.
 * @throws RangeError on a line longer than 64 KiB: what sends it does not speak this protocol
 */
export declare function linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer>;
