import type { Clock, Counter, Deliver, Logger, Outbox } from "@threatbus/core";
import { openConnection } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { Consumer } from "./consumer.ts";
import type { RabbitmqOptions } from "./options.ts";
import { Publisher } from "./publisher.ts";
import { declare, hostSuffix, queueName } from "./topology.ts";
import type { ExchangeForm } from "./topology.ts";

/** Milliseconds before the broker is offered again what it refused. */
const secondThoughts = 500;

/** Milliseconds the broker may take to end the handing out of messages. */
const farewell = 1_000;

export interface SessionSetup {
  readonly options: RabbitmqOptions;
  /** Kept from session to session. */
  readonly form: ExchangeForm;
  readonly deliver: Deliver;
  readonly outbox: Outbox;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dead: Counter;
  readonly refused: Counter;
}

/** All there is between this host and the broker, from the first connection until anything of it breaks. */
export interface Session {
  /** Resolves with the reason when it is over: everything is closed then. */
  readonly ended: Promise<Error>;
  /** The broker takes nothing for now: its memory or disk is full. */
  readonly blocked: boolean;
  /** Something waits in the outbox. */
  pump(): void;
  /** Resolves when the host is done with all that came. */
  idle(): Promise<void>;
  /** Takes nothing more in, waits until the host is done with what came, and says goodbye. */
  close(): Promise<void>;
}

/**
 * Two connections, so that a broker which stops reading what is published still hears acknowledgements.
 * @param attempt ends the attempt, not the session
 */
export async function openSession(setup: SessionSetup, attempt: AbortSignal): Promise<Session> {
  const { options, outbox, clock, logger } = setup;
  // A broker may take connections and leave a question about a queue unanswered, for ever.
  const late = AbortSignal.timeout(options.connect_timeout * 2_000);
  const over = new AbortController();
  const given = AbortSignal.any([attempt, late, over.signal]);
  const open: Connection[] = [];
  const destroy = (): void => open.forEach((connection) => connection.destroy());
  let end: (reason: Error) => void = () => undefined;
  const broken = new Promise<Error>((resolve) => (end = resolve));
  void broken.then((reason) => over.abort(reason));
  // A question asked of a connection just as it breaks is never answered, and the client does not say so.
  let giveUp = (): void => undefined;
  const abandoned = new Promise<never>((_, reject) => (giveUp = () => reject(given.reason as Error)));
  given.addEventListener("abort", giveUp);
  const join = async (purpose: string): Promise<Connection> => {
    const connection = await openConnection(options, `${hostSuffix(options)} ${purpose}`, given);
    open.push(connection);
    void connection.ended.then(end);
    return connection;
  };
  const establish = async (): Promise<Session> => {
    const inbound = await join("receives");
    await declare(inbound, options, setup.form, logger);
    const outbound = await join("publishes");
    const confirms = watched(await outbound.model.createConfirmChannel(), end);
    const channel = watched(await inbound.model.createChannel(), end);
    const pause = (): Promise<void> => clock.sleep(secondThoughts, over.signal);
    const publisher = new Publisher({ channel: confirms, exchange: options.exchange_name, outbox, window: options.publish_window, origin: hostSuffix(options), pause, refused: setup.refused, logger });
    const consumer = new Consumer({ channel, prefetch: options.prefetch, deliver: setup.deliver, clock, logger, dead: setup.dead, signal: over.signal });
    outbound.model.on("blocked", (reason) => {
      logger.warn("the broker takes nothing for now", { reason });
      publisher.blocked = true;
    });
    outbound.model.on("unblocked", () => {
      logger.info("the broker takes messages again");
      publisher.blocked = false;
    });
    const ended = broken.then((reason) => {
      publisher.end();
      consumer.end();
      destroy();
      return reason;
    });
    await channel.prefetch(options.prefetch);
    // `null` is the broker's word that the queue is gone. Nothing may be thrown here: it would end the connection.
    const { consumerTag } = await channel.consume(queueName(options), (message) => (message === null ? end(new Error("the queue was deleted")) : consumer.take(message)));
    given.throwIfAborted();
    return {
      ended,
      get blocked() {
        return publisher.blocked;
      },
      pump: () => publisher.pump(),
      idle: () => consumer.idle(),
      async close() {
        // A broker that is frozen or cut off does not answer.
        await Promise.race([channel.cancel(consumerTag).catch(() => undefined), ended, clock.sleep(farewell)]);
        await consumer.idle();
        await Promise.all(open.map((connection) => connection.close()));
        await ended;
      },
    };
  };
  const established = establish();
  established.catch(() => undefined);
  try {
    return await Promise.race([established, abandoned]);
  } catch (thrown) {
    over.abort();
    destroy();
    throw late.aborted ? new Error("ETIMEDOUT: the broker did not answer", { cause: thrown }) : thrown;
  } finally {
    given.removeEventListener("abort", giveUp);
  }
}

/** A channel whose end is the session's. */
function watched<C extends { on(event: "error" | "close", listener: (error?: Error) => void): unknown }>(channel: C, end: (reason: Error) => void): C {
  let reason: Error | undefined;
  channel.on("error", (error) => (reason = error));
  // A connection that breaks closes its channels first; it has the better reason.
  channel.on("close", () => setImmediate(() => end(reason ?? new Error("the broker closed the channel"))));
  return channel;
}
