import { Outbox, ThreatbusError, backoff } from "@threatbus/core";
import type { Backbone, Deliver, Host } from "@threatbus/core";
import type { RabbitmqOptions } from "./options.ts";
import { openSession } from "./session.ts";
import type { Session } from "./session.ts";
import { troubleOf } from "./troubles.ts";
import type { Trouble } from "./troubles.ts";

/** Milliseconds between two lines of log about one trouble. */
const unhurried = 30_000;
/** Milliseconds of the longest timer there is. */
const longest = 2 ** 31 - 1;

/** One session after another with the broker, and the outbox that outlives them. */
export function createRabbitmq(options: RabbitmqOptions, { clock, logger, metrics }: Host): Backbone {
  const stopping = new AbortController();
  const form = { durable: options.exchange.durable ?? true, autoDelete: false };
  const reconnects = metrics.counter("rabbitmq_reconnects");
  const counters = { dead: metrics.counter("rabbitmq_dead_letters"), refused: metrics.counter("rabbitmq_publish_refused") };
  let session: Session | undefined;
  let life: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;
  /** Between two attempts there may be nothing else that keeps the process alive. */
  let alive: NodeJS.Timeout | undefined;
  /** Sessions that are over, while the host is still busy with what came in them. */
  const lingering = new Set<Promise<void>>();
  const { max_items: maxItems, max_bytes: maxBytes, overflow } = options.outbox;
  const outbox = new Outbox({ maxItems, maxBytes, overflow }, { metrics, logger }, () => session?.pump());
  metrics.gauge("rabbitmq_connected", () => (session === undefined ? 0 : 1));
  metrics.gauge("rabbitmq_blocked", () => (session?.blocked === true ? 1 : 0));

  let told = { text: "", at: -Infinity };
  function tell({ error }: Trouble): void {
    if (error.message === told.text && clock.now() - told.at < unhurried) return;
    told = { text: error.message, at: clock.now() };
    logger.warn("RabbitMQ cannot be used; trying again", { reason: error.message, ...(error.hint !== undefined && { hint: error.hint }) });
  }

  /** Tries until there is a session. Rejects with the last trouble when the signal fires; with a lasting one at once, unless `forever`. */
  async function reach(deliver: Deliver, signal: AbortSignal, forever: boolean): Promise<Session> {
    const waits = backoff();
    for (let last: Trouble | undefined; ; ) {
      try {
        return await openSession({ options, form, deliver, outbox, clock, logger, ...counters }, signal);
      } catch (thrown) {
        if (signal.aborted) throw last?.error ?? notStarted(thrown);
        last = troubleOf(thrown, options);
        if (last.permanent && !forever) throw last.error;
        tell(last);
        await clock.sleep(waits.next(), signal);
        if (signal.aborted) throw last.error;
      }
    }
  }

  async function live(first: Session, deliver: Deliver): Promise<void> {
    for (let current: Session | undefined = first; current !== undefined; ) {
      session = current;
      current.pump();
      const reason = await current.ended;
      session = undefined;
      linger(current);
      outbox.rewind();
      if (stopping.signal.aborted) return;
      logger.warn("the connection to RabbitMQ broke; connecting again", { reason: troubleOf(reason, options).error.message });
      reconnects.add();
      await clock.sleep(backoff().next(), stopping.signal);
      current = await reach(deliver, stopping.signal, true).catch(() => undefined);
      if (current !== undefined) logger.info("connected to RabbitMQ again");
    }
  }

  function linger(over: Session): void {
    const idle = over.idle();
    lingering.add(idle);
    void idle.then(() => lingering.delete(idle));
  }

  function rest(): void {
    clearInterval(alive);
    alive = undefined;
  }

  return {
    async start(deliver, signal) {
      if (signal.aborted || stopping.signal.aborted) throw notStarted(signal.reason);
      alive ??= setInterval(() => undefined, longest);
      try {
        life = live(await reach(deliver, AbortSignal.any([signal, stopping.signal]), false), deliver);
      } catch (thrown) {
        rest();
        throw thrown;
      }
    },
    publish: (frame) => outbox.put(frame),
    stop() {
      return (stopped ??= (async () => {
        stopping.abort();
        await session?.close();
        await life;
        await Promise.all(lingering);
        rest();
        outbox.close();
      })());
    },
  };
}

function notStarted(cause: unknown): ThreatbusError {
  return new ThreatbusError("CONNECTION_FAILED", "the start was given up before RabbitMQ could be reached", { cause });
}
