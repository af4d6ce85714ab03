import type { Clock } from "./contract.ts";
import { ThreatbusError, isThreatbusError, reasonOf } from "./errors.ts";
import type { ErrorCode } from "./errors.ts";

/** One hook of one plugin, about to be called. */
export interface Call {
  readonly plugin: string;
  readonly run: () => Promise<void>;
}

export interface Manner {
  readonly failed: ErrorCode;
  readonly late: ErrorCode;
  /** Milliseconds each call may take. */
  readonly timeout: number;
  readonly clock: Clock;
}

/** Makes the calls side by side and waits for each, bounded in time. Returns what failed, each with its plugin's name. */
export async function callAll(calls: readonly Call[], manner: Manner): Promise<ThreatbusError[]> {
  const outcomes = await Promise.all(calls.map((call) => callOne(call, manner)));
  return outcomes.filter((outcome) => outcome !== undefined);
}

async function callOne({ plugin, run }: Call, { failed, late, timeout, clock }: Manner): Promise<ThreatbusError | undefined> {
  const done = new AbortController();
  const tooLate = clock.sleep(timeout, done.signal).then(() =>
    done.signal.aborted ? undefined : new ThreatbusError(late, `${plugin}: no end after ${timeout / 1000} s`, { plugin }));
  try {
    // The promise constructor turns a hook that throws at once into one that rejects.
    return await Promise.race([new Promise<void>((resolve) => resolve(run())).then(() => undefined), tooLate]);
  } catch (thrown) {
    return withPlugin(thrown, plugin, failed);
  } finally {
    done.abort();
  }
}

/** Anything a plugin throws leaves with the plugin's name; its own code and hint are kept. */
export function withPlugin(thrown: unknown, plugin: string, code: ErrorCode): ThreatbusError {
  if (isThreatbusError(thrown)) {
    const { hint, issues, reason } = thrown;
    const text = thrown.message.startsWith(plugin) ? thrown.message : `${plugin}: ${thrown.message}`;
    return new ThreatbusError(thrown.code, text, { plugin, issues, cause: thrown, ...(hint === undefined ? {} : { hint }), ...(reason === undefined ? {} : { reason }) });
  }
  return new ThreatbusError(code, `${plugin}: ${reasonOf(thrown)}`, { plugin, cause: thrown });
}

/** One error for several: itself if there is one, else one that lists all. */
export function together(errors: readonly ThreatbusError[], code: ErrorCode): ThreatbusError {
  const [first] = errors;
  if (first !== undefined && errors.length === 1) return first;
  const issues = errors.map(({ message, hint }) => ({ message, ...(hint === undefined ? {} : { hint }) }));
  return new ThreatbusError(code, errors.map(({ message }) => message).join("\n"), { issues, cause: new AggregateError(errors) });
}
