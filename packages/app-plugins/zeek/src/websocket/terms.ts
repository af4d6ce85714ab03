import type { Host } from "@threatbus/core";
import type { TakeLink } from "../link.ts";
import type { Troubles } from "../troubles.ts";

/** What client and server have in common. */
export interface WebSocketTerms {
  readonly topics: readonly string[];
  readonly host: Host;
  readonly troubles: Troubles;
  readonly takeLink: TakeLink;
  /** Bytes of a message. */
  readonly maxMessage: number;
  /** Milliseconds for the upgrade, and again for the acknowledgement. */
  readonly handshakeTimeout: number;
}
