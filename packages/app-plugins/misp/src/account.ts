import type { Metrics } from "@threatbus/core";
import type { DecodeRefusal } from "./decode/message.ts";
import type { SkipReason } from "./relay/relay.ts";

/** `"heartbeat"`: MISP's sign of life. `"topic"`: another topic of MISP. */
export type FrameSkip = SkipReason | "heartbeat" | "topic";
/** `"frame"`: no blank behind a topic. `"indicator"`: what was made of it did not pass the bus's check. */
export type FrameRefusal = DecodeRefusal | "frame" | "indicator";

/**
 * Where every frame went: `misp_frames_received = misp_mapped + Σ misp_skipped{reason} + Σ misp_refused{reason}` whenever no frame
 * is in hand. A mapped frame makes one message or two: `misp_messages{update}` were taken by the bus, `misp_messages_failed` not.
 */
export interface Account {
  received(): void;
  mapped(): void;
  skipped(reason: FrameSkip): void;
  refused(reason: FrameRefusal): void;
  published(update: "ADD" | "EDIT" | "REMOVE"): void;
  failed(): void;
}

export function accountOf(metrics: Metrics): Account {
  const received = metrics.counter("misp_frames_received");
  const mapped = metrics.counter("misp_mapped");
  const failed = metrics.counter("misp_messages_failed");
  return {
    received: () => received.add(),
    mapped: () => mapped.add(),
    skipped: (reason) => metrics.counter("misp_skipped", { reason }).add(),
    refused: (reason) => metrics.counter("misp_refused", { reason }).add(),
    published: (update) => metrics.counter("misp_messages", { update }).add(),
    failed: () => failed.add(),
  };
}
