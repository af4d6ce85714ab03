const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
export type Signal = keyof typeof numbers;

/** What a shell reports of a program that a signal ended. */
export function signalExitCode(signal: Signal): number {
  return 128 + numbers[signal];
}

/** Resolves with the first signal to end; waiting for it keeps no process alive. The second ends the process at once. */
export function endOnSignal(): Promise<Signal> {
  return new Promise((resolve) => {
    let first = true;
    for (const signal of Object.keys(numbers) as Signal[]) {
      process.on(signal, () => {
        if (!first) process.exit(signalExitCode(signal));
        first = false;
        resolve(signal);
      });
    }
  });
}

/** Fires with the first signal to end; the second ends the process at once. */
export function abortOnSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of Object.keys(numbers) as Signal[]) {
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(signalExitCode(signal));
      stop.abort(signal);
    });
  }
  return stop.signal;
}
