import { message, reasonOf } from "@threatbus/core";
import type { Logger } from "@threatbus/core";
import type { Account, Source } from "./account.ts";
import { decode, decodeRow } from "./decode/decode.ts";
import type { AttributeMessage, DecodeRefusal, MispMessage, SightingMessage, TagMessage } from "./decode/message.ts";
import type { EventTags } from "./enrich/event-tags.ts";
import type { Rereader } from "./enrich/rereader.ts";
import type { Profile } from "./map/options.ts";
import { isMapped } from "./map/pattern.ts";
import { sightingOf } from "./map/sighting.ts";
import type { Relayer } from "./relayer.ts";
import type { SentStore } from "./state/state.ts";
import { Turns } from "./turns.ts";

interface Setup {
  readonly relayer: Relayer;
  readonly store: SentStore;
  readonly account: Account;
  readonly logger: Logger;
  /** Nothing without an API: tags of events stay unknown. */
  readonly enrichment?: Enrichment | undefined;
  /** A sighting that this Threat Bus reported. */
  readonly isOwn: (sighting: SightingMessage["sighting"]) => boolean;
}

export interface Enrichment {
  readonly tags: EventTags;
  readonly rereader: Rereader;
  /** An attribute whose tags are not known yet must not pass. */
  readonly hold: boolean;
  readonly profile: Profile;
}

/** Nothing is left to do. */
const done = Promise.resolve(true);

/** Takes what MISP says, live or asked for, in the order it comes, and sees to what each message means. */
export class Intake {
  readonly #setup: Setup;
  readonly #turns = new Turns();

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** More came than is under way to the bus: no further message should be taken before the last one is done. */
  get crowded(): boolean {
    return this.#turns.crowded;
  }

  /** The JSON of a message from the feed. Resolves with whether all it means is on the bus. */
  take(payload: Uint8Array): Promise<boolean> {
    const decoded = decode(payload);
    if (!decoded.ok) return this.#refuse(decoded.reason, "feed");
    const said = decoded.message;
    if (said.kind === "attribute") return this.#turns.take(said.attribute.uuid, () => this.#attribute(said));
    return this.#turns.take("", () => this.#other(said));
  }

  /** A row of a search. */
  takeRow(row: unknown): Promise<boolean> {
    const decoded = decodeRow(row);
    if (!decoded.ok) return this.#refuse(decoded.reason, "api");
    const said = decoded.message;
    return this.#turns.take(said.attribute.uuid, () => {
      if (said.event?.tags !== undefined) this.#setup.enrichment?.tags.set(said.event.id, said.event.tags);
      return this.#setup.relayer.relay(said, "api");
    });
  }

  /** Resolves when all that was taken is done. */
  async settled(): Promise<void> {
    await this.#turns.take("", () => done);
  }

  /** Tags of new attributes and of events are not in the feed: what is known of them is added, and what is not is asked for. */
  #attribute(said: AttributeMessage): Promise<boolean> {
    const { relayer, account, enrichment } = this.#setup;
    const { action, attribute, event } = said;
    const gone = action === "delete" || action === "soft-delete" || attribute.deleted || !attribute.toIds;
    if (enrichment === undefined || gone || !isMapped(attribute.type, enrichment.profile)) return relayer.relay(said, "feed");
    const { tags, rereader, hold } = enrichment;
    const inherited = tags.get(attribute.eventId);
    const unsure = (action === "add" && attribute.tags.length === 0) || inherited === undefined;
    if (unsure) rereader.attribute(attribute.uuid);
    if (unsure && hold) {
      account.received("feed");
      account.skipped("reread");
      return done;
    }
    return relayer.relay(inherited === undefined || event === undefined ? said : { ...said, event: { ...event, tags: inherited } }, "feed");
  }

  async #other(said: Exclude<MispMessage, AttributeMessage>): Promise<boolean> {
    const { relayer, store, account, enrichment } = this.#setup;
    account.received("feed");
    switch (said.kind) {
      case "sighting":
        return this.#sighting(said);
      case "tag":
        this.#tag(said);
        break;
      case "event": {
        const { id, tags } = said.event;
        if (tags === undefined || said.action === "delete") enrichment?.tags.forget(id);
        else if (enrichment?.tags.set(id, tags) === true && store.ofEvent(id).length > 0) enrichment.rereader.event(id);
        break;
      }
      case "published":
        if (said.event.tags !== undefined) enrichment?.tags.set(said.event.id, said.event.tags);
    }
    account.handled(said.kind);
    return said.kind === "tag" ? true : relayer.relay(said, "event");
  }

  /** A tag of an event is one of all its attributes. One of an attribute comes with the attribute's next message. */
  #tag({ target }: TagMessage): void {
    const { enrichment } = this.#setup;
    if (target?.kind !== "event" || enrichment === undefined) return;
    enrichment.tags.forget(target.id);
    enrichment.rereader.event(target.id);
  }

  async #sighting(said: SightingMessage): Promise<boolean> {
    const { relayer, store, account, isOwn, logger } = this.#setup;
    if (isOwn(said.sighting)) return account.skipped("own"), true;
    const made = sightingOf(said);
    // What was withdrawn, nobody watches for any more.
    if (made === undefined || store.get(said.sighting.attributeUuid)?.patterns.length === 0) return account.skipped("sighting"), true;
    try {
      const checked = message(made);
      account.handled("sighting");
      return await relayer.publish(checked, "SIGHTING");
    } catch (thrown) {
      logger.debug("a sighting did not pass the bus's check", { reason: reasonOf(thrown) });
      account.refused("indicator");
      return true;
    }
  }

  #refuse(reason: DecodeRefusal, from: Source): Promise<boolean> {
    const { account, logger } = this.#setup;
    account.received(from);
    account.refused(reason);
    logger.debug("what MISP said was refused", { reason });
    return done;
  }
}
