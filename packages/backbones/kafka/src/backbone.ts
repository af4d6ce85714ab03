import { Outbox, ThreatbusError, backoff } from "@threatbus/core";
import type { Backbone, Deliver, Host } from "@threatbus/core";
import { KafkaFault, faultOf } from "@threatbus/kafka-client";
import type { KafkaOptions } from "./options.ts";
import { Session } from "./session.ts";
import type { Part } from "./session.ts";

/** Milliseconds between two lines of log about one trouble. */
const unhurried = 30_000;
/** Milliseconds of the longest timer there is. */
const longest = 2 ** 31 - 1;

/** A session with the cluster, and the outbox that waits for it. */
export function createKafka(options: KafkaOptions, host: Host): Backbone {
  const { clock, logger, metrics } = host;
  const stopping = new AbortController();
  const reconnects = metrics.counter("kafka_reconnects");
  /** Attempts that were given up, on their way out. */
  const leaving = new Set<Promise<void>>();
  let session: Session | undefined;
  /** What of it does not work just now. */
  const broken = new Set<Part>();
  let stopped: Promise<void> | undefined;
  let alive: NodeJS.Timeout | undefined;
  const { max_items: maxItems, max_bytes: maxBytes, overflow } = options.outbox;
  const outbox = new Outbox({ maxItems, maxBytes, overflow }, { metrics, logger }, () => session?.wake());
  metrics.gauge("kafka_connected", () => (session !== undefined && broken.size === 0 ? 1 : 0));
  metrics.gauge("kafka_lag", () => session?.lag ?? 0);

  let told = { text: "", at: -Infinity };
  function tell(text: string, { message, hint }: KafkaFault): void {
    if (message === told.text && clock.now() - told.at < unhurried) return;
    told = { text: message, at: clock.now() };
    logger.warn(text, { reason: message, ...(hint !== undefined && { hint }) });
  }

  function onState(part: Part, fault: KafkaFault | undefined): void {
    const was = broken.size;
    if (fault === undefined) broken.delete(part);
    else broken.add(part);
    if (was === 0 && broken.size > 0 && session !== undefined) reconnects.add();
    if (session === undefined) return;
    if (fault !== undefined) tell("the connection to Kafka broke; connecting again", fault);
    else if (was > 0 && broken.size === 0) {
      told = { text: "", at: -Infinity };
      logger.info("connected to Kafka again");
    }
  }

  async function reach(deliver: Deliver, signal: AbortSignal): Promise<void> {
    const ending = AbortSignal.any([signal, stopping.signal]);
    const waits = backoff();
    for (let last: KafkaFault | undefined; ; ) {
      if (ending.aborted) throw notStarted(last);
      broken.clear();
      const attempt = new Session({ options, host, deliver, outbox, onState });
      try {
        await unlessAborted(attempt.open(), ending);
        session = attempt;
        attempt.wake();
        return;
      } catch (thrown) {
        const left: Promise<void> = attempt.close().finally(() => leaving.delete(left));
        leaving.add(left);
        const fault = faultOf(thrown);
        if (fault.kind === "locked_out" || fault.kind === "denied" || fault.kind === "missing") throw failed(fault);
        if (fault.kind !== "closed") tell("Kafka cannot be reached; trying again", (last = fault));
        await clock.sleep(waits.next(), ending);
      }
    }
  }

  return {
    async start(deliver, signal) {
      // Between two attempts there may be nothing else that keeps the process alive.
      clearInterval(alive);
      alive = setInterval(() => undefined, longest);
      try {
        await reach(deliver, signal);
      } catch (thrown) {
        clearInterval(alive);
        throw thrown;
      }
    },
    publish: (frame) => outbox.put(frame),
    stop() {
      return (stopped ??= (async () => {
        stopping.abort();
        await session?.close();
        clearInterval(alive);
        session = undefined;
        await Promise.all(leaving);
        outbox.close();
      })());
    },
  };
}

function failed(fault: KafkaFault): ThreatbusError {
  return new ThreatbusError("CONNECTION_FAILED", fault.message, { cause: fault, ...(fault.hint !== undefined && { hint: fault.hint }) });
}

function notStarted(last: KafkaFault | undefined): ThreatbusError {
  return last === undefined ? new ThreatbusError("CONNECTION_FAILED", "the start was given up before Kafka could be reached") : failed(last);
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => (giveUp = () => reject(new KafkaFault("closed", "the start was given up"))));
  signal.addEventListener("abort", giveUp);
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", giveUp);
    work.catch(() => undefined);
  }
}
