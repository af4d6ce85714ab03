/** Merges sequences, each newest first, into one. What it does not read to the end it ends. */
export async function* newestFirst<T extends { readonly at: string }>(sources: readonly AsyncGenerator<T>[]): AsyncGenerator<T> {
  try {
    const heads = await Promise.all(sources.map(async (source) => ({ source, next: await source.next() })));
    for (;;) {
      let newest: { source: AsyncGenerator<T>; next: IteratorYieldResult<T> } | undefined;
      for (const { source, next } of heads) if (next.done !== true && (newest === undefined || next.value.at > newest.next.value.at)) newest = { source, next };
      if (newest === undefined) return;
      yield newest.next.value;
      const { source } = newest;
      const head = heads.find((each) => each.source === source);
      if (head !== undefined) head.next = await source.next();
    }
  } finally {
    await Promise.allSettled(sources.map((source) => source.return(undefined)));
  }
}
