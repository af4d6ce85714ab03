import type { Clock, Logger } from "@threatbus/core";
import type { Api } from "./rest/api.ts";
import { RestFault } from "./rest/fault.ts";
import type { Search } from "./rest/search.ts";
import type { SentStore } from "./state/state.ts";

/** Seconds that are asked for twice: what was being written when it was asked for. */
const overlap = 120;

interface Setup {
  readonly api: Api;
  readonly store: SentStore;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds between rounds. */
  readonly interval: number;
  /** Searches and relays what is found. Resolves with whether all of it is on the bus. @throws RestFault */
  readonly read: (search: Search) => Promise<boolean>;
}

/**
 * Asks MISP again and again for what changed since it was last asked: what the feed lost while it was away, and what MISP does not tell its feed. Goes by the
 * time of the attribute's change and, since events pulled from other MISPs keep their old times, by that of the event's publishing
 * (OpenCTI-Platform/connectors#563). Deleted attributes and those not for detection come too.
 */
export class CatchUp {
  readonly #setup: Setup;
  #woken = new AbortController();

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** Something was missed: the next round begins as soon as the one under way, if any, is over. */
  wake(): void {
    this.#woken.abort();
  }

  /** Runs until the signal fires. */
  async run(): Promise<void> {
    const { api, signal, clock, interval, logger } = this.#setup;
    while (!signal.aborted) {
      this.#woken = new AbortController();
      await api.check(signal);
      if (signal.aborted) return;
      try {
        await this.#since("timestamp");
        await this.#since("publish_timestamp");
      } catch (thrown) {
        if (!(thrown instanceof RestFault)) throw thrown;
        logger.debug("what changed in MISP could not be read; it is asked for again", { reason: thrown.message });
      }
      await clock.sleep(interval, AbortSignal.any([signal, this.#woken.signal]));
    }
  }

  /** Of the first life there is no past: it begins now. */
  async #since(parameter: "timestamp" | "publish_timestamp"): Promise<void> {
    const { api, store, read } = this.#setup;
    const begin = api.client.time;
    const since = store.mark(parameter);
    if (since === undefined) return store.setMark(parameter, begin);
    if (await read({ [parameter]: Math.max(0, since - overlap), deleted: [0, 1] })) store.setMark(parameter, begin);
  }
}
