import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { backoff, reasonOf } from "@threatbus/core";
import { adviceFor } from "./advice.ts";
import { Conversation, type Ending, type Terms } from "./conversation.ts";

export interface DialSetup {
  readonly host: string;
  readonly port: number;
  /** Absent: plain. */
  readonly tls?: ConnectionOptions;
  readonly terms: Terms;
}

/** Dials a Zeek that listens (`Broker::listen`), and again whenever the connection ends, until it is stopped. */
export class Dialler {
  readonly #setup: DialSetup;
  readonly #stopping = new AbortController();
  #conversation: Conversation | undefined;
  #running: Promise<void> | undefined;

  constructor(setup: DialSetup) {
    this.#setup = setup;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#conversation?.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { terms } = this.#setup;
    const { signal } = this.#stopping;
    const waits = backoff();
    const remote = `${this.#setup.tls === undefined ? "tcp" : "tls"}://${this.#setup.host}:${this.#setup.port}`;
    while (!signal.aborted) {
      const ending = await this.#call(remote);
      if (signal.aborted) return;
      if (ending.peered) waits.reset();
      terms.troubles.warn(`dial ${remote} ${ending.peered}`, ending.peered ? "the connection to Zeek was lost, dialling again" : "Zeek cannot be reached, trying on",
        { remote, reason: ending.reason, ...adviceFor(ending.dropped) });
      await terms.host.clock.sleep(waits.next(), signal);
    }
  }

  async #call(remote: string): Promise<Ending> {
    try {
      const socket = await this.#connect();
      this.#conversation = new Conversation(socket, remote, true, this.#setup.terms);
      // It may have been stopped while it connected.
      if (this.#stopping.signal.aborted) await this.#conversation.close();
      return await this.#conversation.ended;
    } catch (thrown) {
      return { peered: false, reason: reasonOf(thrown) };
    } finally {
      this.#conversation = undefined;
    }
  }

  #connect(): Promise<Socket> {
    const { host, port, tls, terms } = this.#setup;
    return new Promise((resolve, reject) => {
      const socket = tls === undefined ? connectTcp({ host, port }) : connectTls({ ...tls, host, port });
      const over = new AbortController();
      const signal = AbortSignal.any([this.#stopping.signal, over.signal]);
      const fail = (reason: Error): void => {
        over.abort();
        socket.destroy();
        reject(reason);
      };
      socket.once("error", fail);
      socket.once("close", () => fail(new Error("the connection was closed")));
      socket.once(tls === undefined ? "connect" : "secureConnect", () => {
        over.abort();
        socket.removeAllListeners("close");
        socket.off("error", fail);
        resolve(socket);
      });
      void terms.host.clock.sleep(terms.handshakeTimeout, signal).then(() => {
        if (!over.signal.aborted) fail(new Error("no connection in time"));
      });
    });
  }
}
