import type { Host } from "@threatbus/core";
import type { Reception } from "../link.ts";
import type { Troubles } from "../troubles.ts";

/** What client and server have in common. */
export interface WebSocketTerms {
  readonly topics: readonly string[];
  readonly host: Host;
  readonly troubles: Troubles;
  readonly reception: Reception;
  /** Bytes of a message. */
  readonly maxMessage: number;
  /** Milliseconds for the upgrade, and again for the acknowledgement. */
  readonly handshakeTimeout: number;
}
