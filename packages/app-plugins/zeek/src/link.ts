import type { Fields } from "@threatbus/core";
import type { ZeekEvent } from "./wire/event.ts";

/** A connection to one Zeek, whatever the transport. */
export interface Link {
  /** Names the Zeek process as well as the transport can: the same after it connected again, another after it restarted. */
  readonly identity: string;
  /** For people: the transport and the address. */
  readonly remote: string;
  /** Hands an event to the connection. Does nothing once that is closed. @throws WireRefused for an event that has no encoding */
  send(topic: string, event: ZeekEvent): void;
  /** Whether what is sent on the topic would be taken; resolves to false when the connection closes first. */
  listening(topic: string): boolean | Promise<boolean>;
  /** Whether there is room for more without holding much in memory; resolves to false when the connection closes first. */
  room(): boolean | Promise<boolean>;
  /** Asks for a sign of life: resolves to true when anything comes, to false when the connection closes first. */
  sign(): Promise<boolean>;
  /** Events per second that this transport should be given at most; 0 for no limit. */
  readonly pace: number;
  /** Events sent of which no later answer of the other side shows that they came. They may be lost when the connection breaks. */
  readonly unconfirmed: number;
  /** Ends it in order, as the transport has it. Twice is harmless. */
  close(): Promise<void>;
}

/** Who is told about a link. */
export interface LinkOwner {
  /** An event that came on a topic. */
  received(topic: string, event: ZeekEvent): void;
  /** It is gone. Told once. */
  closed(): void;
}

/** Why a connection is not taken in. */
export interface Refusal {
  /** `redundant`: the same Zeek is here over another connection. */
  readonly kind: "redundant" | "full" | "stopping";
  readonly reason: string;
}

/** Takes links in. */
export interface Reception {
  /** Whether a Zeek may come in, asked before it is told so. An earlier connection of the same Zeek has a moment to show that it lives. @param signal the end of the connection */
  admit(identity: string, signal: AbortSignal): Refusal | undefined | Promise<Refusal | undefined>;
  /** Takes in what was admitted. Returns nothing when the bus stops meanwhile: then the link is to be closed. */
  take(link: Link): LinkOwner | undefined;
  /** The address of the connection that this Zeek has. */
  remoteOf(identity: string): string | undefined;
}

/** How a connection ended. */
export interface Ending {
  /** Whether it had stood: the handshake was done, or Zeek had acknowledged. */
  readonly stood: boolean;
  readonly reason: string;
  /** The same Zeek is here over another connection. */
  readonly redundant: boolean;
  /** For the log: codes, and what to do. */
  readonly fields?: Fields;
}
