import type { Counter, Metrics } from "@threatbus/core";
import type { DecodeRefusal, MispMessage } from "./decode/message.ts";
import type { SkipReason } from "./relay/relay.ts";

/**
 * `"feed"`: a frame of ZeroMQ or a record of Kafka. `"event"`: an attribute that a message about its whole event speaks for. `"api"`: a row of a
 * search.
 */
export type Source = "feed" | "event" | "api";
/** `"heartbeat"`: MISP's sign of life. `"topic"`: another topic of MISP. `"own"`: a sighting we reported. `"reread"`: its tags are asked for first. */
export type Skip = SkipReason | "heartbeat" | "topic" | "own" | "sighting" | "reread";
/** `"frame"`: no blank behind a topic. `"indicator"`: what was made of it did not pass the bus's check. */
export type Refusal = DecodeRefusal | "frame" | "indicator";

/**
 * Where everything went that MISP said: `Σ misp_received{from} = misp_mapped + Σ misp_handled{kind} + Σ misp_skipped{reason} + Σ misp_refused{reason}`
 * whenever nothing is in hand. What is mapped makes messages: `misp_messages{update}` were taken by the bus, `misp_messages_failed` not.
 */
export interface Account {
  received(from: Source): void;
  /** An attribute that made messages. */
  mapped(): void;
  /** A message that is about no single attribute. */
  handled(kind: Exclude<MispMessage["kind"], "attribute">): void;
  skipped(reason: Skip): void;
  refused(reason: Refusal): void;
  published(update: "ADD" | "EDIT" | "REMOVE" | "RULE" | "SIGHTING"): void;
  failed(): void;
}

export function accountOf(metrics: Metrics): Account {
  const mapped = metrics.counter("misp_mapped");
  const failed = metrics.counter("misp_messages_failed");
  const received = family("misp_received", "from"), handled = family("misp_handled", "kind"), skipped = family("misp_skipped", "reason");
  const refused = family("misp_refused", "reason"), messages = family("misp_messages", "update");
  return {
    received: (from) => received(from).add(),
    mapped: () => mapped.add(),
    handled: (kind) => handled(kind).add(),
    skipped: (reason) => skipped(reason).add(),
    refused: (reason) => refused(reason).add(),
    published: (update) => messages(update).add(),
    failed: () => failed.add(),
  };

  /** Counters by the value of their one label, each looked for once: there are several to a message. */
  function family(name: string, label: string): (value: string) => Counter {
    const known = new Map<string, Counter>();
    return (value) => {
      let counter = known.get(value);
      if (counter === undefined) known.set(value, (counter = metrics.counter(name, { [label]: value })));
      return counter;
    };
  }
}
