import { backoff, reasonOf } from "@threatbus/core";
import type { Host } from "@threatbus/core";
import type { Ending } from "./link.ts";
import type { Troubles } from "./troubles.ts";

/** Milliseconds until an address is tried again that leads to a Zeek which is here already. */
const patience = 30_000;

/** A connection under way, from the first attempt to its end. */
export interface Call {
  readonly ended: Promise<Ending>;
  close(): Promise<void>;
  /** Sees after it when it has been silent for `interval` ms. */
  tend(interval: number): void;
}

/** Connects to one address, and again whenever the connection ends, until it is stopped. */
export class Redialler {
  readonly #remote: string;
  readonly #dial: () => Call;
  readonly #host: Host;
  readonly #troubles: Troubles;
  readonly #stopping = new AbortController();
  #call: Call | undefined;
  #running: Promise<void> | undefined;

  constructor(remote: string, dial: () => Call, { host, troubles }: { readonly host: Host; readonly troubles: Troubles }) {
    this.#remote = remote;
    this.#dial = dial;
    this.#host = host;
    this.#troubles = troubles;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#call?.close();
    await this.#running;
  }

  tend(interval: number): void {
    this.#call?.tend(interval);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    const waits = backoff();
    for (let redundant = false; !signal.aborted; ) {
      const ending = await this.#once();
      if (signal.aborted) return;
      if (ending.stood) waits.reset();
      this.#tell(ending, redundant);
      redundant = ending.redundant;
      await this.#host.clock.sleep(redundant ? patience : waits.next(), signal);
    }
  }

  async #once(): Promise<Ending> {
    try {
      this.#call = this.#dial();
      return await this.#call.ended;
    } catch (thrown) {
      return { stood: false, reason: reasonOf(thrown), redundant: false };
    } finally {
      this.#call = undefined;
    }
  }

  #tell({ stood, reason, redundant, fields }: Ending, before: boolean): void {
    const remote = this.#remote;
    if (!redundant) this.#troubles.warn(`dial ${remote} ${stood}`, stood ? "the connection to Zeek was lost, connecting again" : "Zeek cannot be reached, trying on", { remote, reason, ...fields });
    else if (!before) this.#host.logger.warn("this address leads to a Zeek that is connected already: one connection is kept, this one stands by", { remote, reason });
  }
}
