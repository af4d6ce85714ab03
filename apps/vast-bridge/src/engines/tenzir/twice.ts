/** Lines remembered at most. */
const limit = 100_000;

/** Tells what two sources give both: the nth time that one gives a line is the nth time that the other does. */
export class Twice {
  readonly #counts = [new Map<string, number>(), new Map<string, number>()] as const;

  /** Whether the other source gave it as often already. */
  isSecond(source: 0 | 1, line: string): boolean {
    const own = this.#counts[source], other = this.#counts[1 - source];
    const count = (own.get(line) ?? 0) + 1;
    if (count > 1 || own.size < limit) own.set(line, count);
    return count <= (other?.get(line) ?? 0);
  }
}
