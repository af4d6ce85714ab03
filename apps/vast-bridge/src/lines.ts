const newline = 0x0a;

/** Lines of what arrives in pieces, without `\n` or `\r\n`; bytes that are not UTF-8 are replaced. One longer than `longest` bytes is left out. */
export async function* linesOf(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, longest: number, onLong: (bytes: number) => void): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let length = 0;
  const take = (piece: Buffer): void => {
    length += piece.length;
    if (length <= longest) pieces.push(piece);
    else pieces = [];
  };
  const line = (): string | undefined => {
    const whole = length <= longest ? text(pieces) : undefined;
    if (whole === undefined) onLong(length);
    pieces = [];
    length = 0;
    return whole;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      const whole = line();
      if (whole !== undefined) yield whole;
    }
    if (from < chunk.length) take(chunk.subarray(from));
  }
  if (length === 0) return;
  const rest = line();
  if (rest !== undefined) yield rest;
}

function text(pieces: readonly Buffer[]): string {
  const [first] = pieces;
  const whole = (pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces)).toString("utf8");
  return whole.endsWith("\r") ? whole.slice(0, -1) : whole;
}
