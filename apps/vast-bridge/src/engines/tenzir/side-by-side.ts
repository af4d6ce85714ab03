/** Reads sequences at the same time, from now on, whether anybody asks or not, up to one item each. One that fails fails the whole, and ends the others. */
export function sideBySide<T>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  const pull = (source: AsyncGenerator<T>): Promise<Turn<T>> => source.next().then((result) => ({ source, result }));
  const turns = new Map(sources.map((source) => [source, pull(source)]));
  for (const turn of turns.values()) turn.catch(() => undefined);
  return take(turns, pull);
}

interface Turn<T> {
  readonly source: AsyncGenerator<T>;
  readonly result: IteratorResult<T>;
}

async function* take<T>(turns: Map<AsyncGenerator<T>, Promise<Turn<T>>>, pull: (source: AsyncGenerator<T>) => Promise<Turn<T>>): AsyncGenerator<T> {
  try {
    while (turns.size > 0) {
      const { source, result } = await Promise.race(turns.values());
      if (result.done === true) {
        turns.delete(source);
        continue;
      }
      // The next is on its way while this one is dealt with.
      turns.set(source, pull(source));
      turns.get(source)?.catch(() => undefined);
      yield result.value;
    }
  } finally {
    await Promise.allSettled([...turns.keys()].map((source) => source.return(undefined)));
  }
}
