import { ThreatbusError, reasonOf } from "@threatbus/core";
import type { Counter, Frame, Logger, Outbox, Outgoing } from "@threatbus/core";
import type { ConfirmChannel, Options } from "amqplib";

/** Bytes under way at one time, whatever the window: the client holds them until the socket takes them. */
const mostBytes = 16 * 1024 * 1024;
/** Bytes of a short string (AMQP 0-9-1, 4.2.5.3); a longer one would be an error of the client. */
const shortString = 255;
/**
 * Milliseconds after which a snapshot's request is of no use any more, as text (the broker's `expiration`): a host that was away must not
 * answer what was asked yesterday.
 */
const freshness = "300000";

export interface PublisherSetup {
  readonly channel: ConfirmChannel;
  readonly exchange: string;
  readonly outbox: Outbox;
  /** Messages under way at one time. */
  readonly window: number;
  /** Who publishes. */
  readonly origin: string;
  /** Waits before what the broker refused is offered again; resolves early when the session ends. */
  readonly pause: () => Promise<void>;
  readonly refused: Counter;
  readonly logger: Logger;
}

/** Sends what is in the outbox, in order, with as many under way as the window allows. */
export class Publisher {
  readonly #setup: PublisherSetup;
  #bytes = 0;
  /** The broker has no memory or disk left, or the socket takes no more. */
  #blocked = false;
  #draining = false;
  /** Messages under way that the broker said no to: they are offered again when the others have been answered. */
  #refused = 0;
  #ended = false;
  /** Ids of messages that reached no queue, until their confirmation, which follows. */
  readonly #returned = new Set<string>();

  constructor(setup: PublisherSetup) {
    this.#setup = setup;
    setup.channel.on("drain", () => {
      this.#draining = false;
      this.pump();
    });
    setup.channel.on("return", ({ properties }) => this.#returned.add(String(properties.messageId)));
  }

  get blocked(): boolean {
    return this.#blocked;
  }

  set blocked(blocked: boolean) {
    this.#blocked = blocked;
    this.pump();
  }

  /** Nothing more is sent. */
  end(): void {
    this.#ended = true;
  }

  /** Sends as much as there is room for. */
  pump(): void {
    const { outbox, window } = this.#setup;
    while (!(this.#ended || this.#blocked || this.#draining) && this.#refused === 0 && outbox.underWay < window && this.#bytes < mostBytes) {
      const next = outbox.take();
      if (next === undefined) return;
      this.#send(next);
    }
  }

  #send(outgoing: Outgoing): void {
    const { channel, exchange, origin } = this.#setup;
    const { frame } = outgoing;
    const { buffer, byteOffset, byteLength } = frame.payload;
    this.#bytes += byteLength;
    try {
      const flowing = channel.publish(exchange, "", Buffer.from(buffer, byteOffset, byteLength), propertiesOf(frame, origin), (error: unknown) => {
        this.#bytes -= byteLength;
        // Any other error is the channel's end: the next session sends again what was not answered.
        if (!this.#ended && (error === null || reasonOf(error) === "message nacked")) this.#answered(outgoing, error === null);
      });
      if (!flowing) this.#draining = true;
    } catch (thrown) {
      this.#bytes -= byteLength;
      // The channel has just closed: the session ends, and what is under way is sent again by the next.
      if (thrown instanceof Error && thrown.name === "IllegalOperationError") this.#ended = true;
      else this.#setup.outbox.fail(outgoing, new ThreatbusError("BACKBONE_FAILED", `the message cannot be sent: ${reasonOf(thrown)}`));
    }
  }

  #answered(outgoing: Outgoing, taken: boolean): void {
    const { outbox, refused } = this.#setup;
    // Without a queue the broker confirms what it throws away.
    const lost = this.#returned.size > 0 && this.#returned.delete(outgoing.frame.id);
    if (taken && !lost) outbox.done(outgoing);
    else {
      if (refused.value === 0) this.#setup.logger.warn("the broker did not take a message, and is offered it again; more are counted", { reason: lost ? "no queue" : "refused: a queue is full or not available" });
      refused.add();
      this.#refused++;
    }
    if (this.#refused === 0) this.pump();
    else if (outbox.underWay === this.#refused) void this.#again();
  }

  async #again(): Promise<void> {
    await this.#setup.pause();
    if (this.#ended) return;
    this.#refused = 0;
    this.#setup.outbox.rewind();
  }
}

function propertiesOf({ id, topic }: Frame, origin: string): Options.Publish {
  return {
    persistent: true,
    mandatory: true,
    contentType: contentTypeOf(topic),
    headers: { "x-threatbus-origin": origin },
    ...(topic === "threatbus/snapshotrequest" && { expiration: freshness }),
    ...(Buffer.byteLength(id) <= shortString && { messageId: id }),
    ...(Buffer.byteLength(topic) <= shortString && { type: topic }),
  };
}

function contentTypeOf(topic: string): string {
  if (topic.startsWith("sigma/")) return "application/yaml";
  return topic.startsWith("yara/") ? "text/plain" : "application/json";
}
