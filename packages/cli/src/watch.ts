import { once } from "node:events";
import type { BusMessage, Client, Subscription } from "@threatbus/zmq-client";
import { fail } from "./failure.ts";
import { join, type JoinOptions } from "./joining.ts";
import type { GlobalOptions } from "./options.ts";
import { abortOnSignal, printable, type Signal } from "@threatbus/program";
import { jsonOf, lineOf } from "./shown.ts";

export interface WatchOptions extends JoinOptions, GlobalOptions {
  /** Days of history to ask for first. */
  readonly since?: number;
  readonly type?: readonly string[];
  readonly match?: string;
  /** Ends after so many messages shown. */
  readonly count?: number;
  readonly json: boolean;
  /** Seconds of silence after which it ends. */
  readonly wait?: number;
}

export interface Watched {
  readonly printed: number;
  /** What ended it, if a signal did. */
  readonly signal: Signal | undefined;
}

/** Joins a bus and prints its messages until a signal, the count, the silence, or nobody reads any more. */
export async function watch(topics: readonly string[], options: WatchOptions): Promise<Watched> {
  const stop = new AbortController();
  const interrupted = abortOnSignal();
  const signal = AbortSignal.any([stop.signal, interrupted]);
  let printed = 0;
  const end = (): void => stop.abort();
  process.stdout.once("error", end).once("close", end);
  let client: Client | undefined;
  try {
    client = await join(options, signal);
    const subscription = await client.subscribe(topics.length === 0 ? [""] : topics, {
      signal,
      ...(options.since === undefined ? {} : { snapshot: options.since }),
      onStatus: (state, error) => {
        if (state === "lost") tell(`the bus does not answer (${error?.code ?? "no reason"}); waiting for it`);
        if (state === "resubscribed") tell("the bus is back; what it sent in between is missing");
      },
    });
    printed = await print(subscription, options, end);
    const { lost, malformed } = subscription.stats;
    if (lost > 0) tell(`${lost} messages did not come: the bus dropped them while this program was slow`);
    if (malformed > 0) tell(`${malformed} messages could not be read`);
  } catch (error) {
    if (!signal.aborted) fail(error);
  }
  await client?.close();
  return { printed, signal: interrupted.aborted ? (interrupted.reason as Signal) : undefined };
}

async function print(subscription: Subscription, { json, count = Infinity, wait, ...filter }: WatchOptions, end: () => void): Promise<number> {
  let printed = 0;
  const silence = wait === undefined ? undefined : setTimeout(end, wait * 1_000);
  try {
    for await (const message of subscription) {
      silence?.refresh();
      if (!passes(message, filter)) continue;
      const more = process.stdout.write(json ? jsonOf(message) : lineOf(message, new Date()));
      if (++printed >= count) break;
      // A reader that is slow holds us back, and then the bus keeps and counts.
      if (!more && !process.stdout.destroyed) await Promise.race([once(process.stdout, "drain"), once(process.stdout, "close")]);
    }
  } finally {
    clearTimeout(silence);
  }
  return printed;
}

function passes(message: BusMessage, { type, match }: Pick<WatchOptions, "type" | "match">): boolean {
  if (type !== undefined && !type.includes(message.type)) return false;
  return match === undefined || Buffer.from(message.payload).toString("utf8").toLowerCase().includes(match.toLowerCase());
}

function tell(text: string): void {
  process.stderr.write(`threatbus: ${printable(text)}\n`);
}
