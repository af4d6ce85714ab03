import { message, reasonOf } from "@threatbus/core";
import type { Bus, Logger, Message } from "@threatbus/core";
import type { Account, Source } from "./account.ts";
import type { AttributeMessage, EventMessage, PublishedMessage } from "./decode/message.ts";
import { decide } from "./relay/relay.ts";
import type { Decision, Policy } from "./relay/relay.ts";
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
    const { store, policy, account } = this.#setup;
    let whole = true;
    for (const decision of decide(said, store, policy)) {
      account.received(from);
      if (decision.outcome === "skipped") this.#skip(decision, said);
      else if (!(await this.#follow(decision))) whole = false;
    }
    return whole;
  }

  /** Publishes one message. @param update what it counts as */
  async publish(made: Message, update: Parameters<Account["published"]>[0]): Promise<boolean> {
    const { bus, account, logger } = this.#setup;
    try {
      await bus.publish(made);
      account.published(update);
      this.#failing = false;
      return true;
    } catch (thrown) {
      account.failed();
      if (!this.#failing) logger.error("the bus does not take what MISP says; what is missing is sent when MISP says it again", { error: reasonOf(thrown) });
      this.#failing = true;
      return false;
    }
  }

  #skip({ uuid, reason, sent }: Extract<Decision, { outcome: "skipped" }>, said: Parameters<Relayer["relay"]>[0]): void {
    if (reason === "type") this.#tellUnmapped(uuid, said);
    if (sent !== undefined) this.#setup.store.set(uuid, sent);
    this.#setup.account.skipped(reason);
  }

  async #follow({ uuid, indicators, rule, sent }: Extract<Decision, { outcome: "mapped" }>): Promise<boolean> {
    const { store, account, logger } = this.#setup;
    let made: { readonly update: "ADD" | "EDIT" | "REMOVE"; readonly message: Message }[];
    try {
      made = indicators.map((indicator) => ({ update: indicator.x_threatbus_update ?? "ADD", message: message(indicator) }));
    } catch (thrown) {
      logger.warn("an indicator did not pass the bus's check", { attribute: uuid, reason: reasonOf(thrown) });
      account.refused("indicator");
      return true;
    }
    account.mapped();
    for (const each of made) if (!(await this.publish(each.message, each.update))) return false;
    store.set(uuid, sent);
    if (rule !== undefined) await this.#publishRule(rule, uuid);
    return true;
  }

  async #publishRule({ topic, text }: NonNullable<Extract<Decision, { outcome: "mapped" }>["rule"]>, uuid: string): Promise<void> {
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
