import { message, reasonOf } from "@threatbus/core";
import type { Bus, Logger, Message } from "@threatbus/core";
import type { Account, Source } from "./account.ts";
import type { AttributeMessage, EventMessage, PublishedMessage } from "./decode/message.ts";
import type { Rule } from "./map/indicator.ts";
import { decide } from "./relay/relay.ts";
import type { Decision, Policy, UpdatedIndicator } from "./relay/relay.ts";
import type { SentStore } from "./state/state.ts";

/** Unmapped types that are logged, each once: their names come from outside. */
const mostTypes = 500;

interface Setup {
  readonly bus: Bus;
  readonly store: SentStore;
  readonly policy: Policy;
  readonly account: Account;
  readonly logger: Logger;
}

/**
 * Decides what MISP's messages mean for the bus, publishes that, and remembers it once the bus has it. What the bus does not take is not remembered,
 * so that it is sent when MISP says it again.
 */
export class Relayer {
  readonly #setup: Setup;
  readonly #unmapped = new Set<string>();
  #failing = false;

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /**
   * Of two messages about the same, the second must wait for the first. Resolves with whether all of it is on the bus.
   * @param from what its attributes count as
   */
  async relay(said: AttributeMessage | PublishedMessage | EventMessage, from: Source): Promise<boolean> {
    const { bus, store, policy, account } = this.#setup;
    let whole = true;
    for (const decision of decide(said, store, policy)) {
      account.received(from);
      if (decision.outcome === "skipped") {
        this.#skip(decision, said);
        continue;
      }
      const { uuid, indicators, rule, sent } = decision;
      const made = this.#check(uuid, indicators);
      if (made === undefined) continue;
      try {
        for (const [n, one] of made.entries()) {
          await bus.publish(one);
          account.published(indicators[n]?.x_threatbus_update ?? "ADD");
        }
        this.#failing = false;
      } catch (thrown) {
        this.#fail(thrown);
        whole = false;
        continue;
      }
      store.set(uuid, sent);
      if (rule !== undefined) await this.#publishRule(rule, uuid);
    }
    return whole;
  }

  /** Publishes one message. @param update what it counts as */
  async publish(made: Message, update: Parameters<Account["published"]>[0]): Promise<boolean> {
    const { bus, account } = this.#setup;
    try {
      await bus.publish(made);
      account.published(update);
      this.#failing = false;
      return true;
    } catch (thrown) {
      this.#fail(thrown);
      return false;
    }
  }

  #fail(thrown: unknown): void {
    const { account, logger } = this.#setup;
    account.failed();
    if (!this.#failing) logger.error("the bus does not take what MISP says; what is missing is sent when MISP says it again", { error: reasonOf(thrown) });
    this.#failing = true;
  }

  #skip({ uuid, reason, sent }: Extract<Decision, { outcome: "skipped" }>, said: Parameters<Relayer["relay"]>[0]): void {
    if (reason === "type") this.#tellUnmapped(uuid, said);
    if (sent !== undefined) this.#setup.store.set(uuid, sent);
    this.#setup.account.skipped(reason);
  }

  /** The indicators as messages, of which one that does not pass takes the others with it. */
  #check(uuid: string, indicators: readonly UpdatedIndicator[]): readonly Message[] | undefined {
    const { account, logger } = this.#setup;
    try {
      const made = indicators.map((indicator) => message(indicator));
      account.mapped();
      return made;
    } catch (thrown) {
      logger.warn("an indicator did not pass the bus's check", { attribute: uuid, reason: reasonOf(thrown) });
      account.refused("indicator");
      return undefined;
    }
  }

  async #publishRule({ topic, text }: Rule, uuid: string): Promise<void> {
    try {
      await this.publish(message(topic, text), "RULE");
    } catch (thrown) {
      this.#setup.logger.warn("a rule did not pass the bus's check; its indicator is sent all the same", { attribute: uuid, reason: reasonOf(thrown) });
    }
  }

  #tellUnmapped(uuid: string, said: AttributeMessage | PublishedMessage | EventMessage): void {
    if (said.kind === "event" || this.#unmapped.size >= mostTypes) return;
    for (const attribute of said.kind === "attribute" ? [said.attribute] : (said.attributes ?? [])) {
      if (attribute.uuid !== uuid) continue;
      const type = attribute.type.slice(0, 100);
      if (this.#unmapped.has(type)) return;
      this.#unmapped.add(type);
      return this.#setup.logger.info("attributes of this MISP type are skipped: there is no mapping to an indicator", { type });
    }
  }
}
