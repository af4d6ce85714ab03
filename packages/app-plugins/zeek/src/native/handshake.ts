import type { Buffer } from "node:buffer";
import { WireRefused } from "../wire/refusal.ts";
import { decodeHandshake, dropCodes, encodeHandshake, type Filter, type HandshakeMessage, HandshakeRefused, protocolVersion } from "./handshake-message.ts";
import { nobody, type PeerId } from "./peer-id.ts";

/** What a frame of the handshake leads to. */
export type Step =
  /** The other side said who it is: `send` waits until it is clear that it may stay. */
  | { readonly kind: "met"; readonly peer: PeerId; readonly send: readonly Buffer[] }
  | { readonly kind: "on"; readonly send: readonly Buffer[] }
  | { readonly kind: "done"; readonly peer: PeerId; readonly filter: Filter; readonly send: readonly Buffer[] }
  /** `send` tells the other side why, then the connection ends. */
  | { readonly kind: "failed"; readonly reason: string; readonly send: readonly Buffer[]; readonly dropped?: Drop };

/** The other side's refusal. */
export interface Drop {
  readonly sender: PeerId;
  readonly code: number;
  readonly reason: string;
}

/**
 * Broker's handshake, for the side that dialled and the side that took the call. Whoever has the smaller id becomes the originator: it selects the version
 * and begins with its filter; if that is the side that was called, it does so in answer to the hello, else it is asked to by a hello in return.
 */
export class Handshake {
  readonly #self: PeerId;
  readonly #filter: Filter;
  #saidHello = false;
  #peer: PeerId | undefined;
  #wanted: HandshakeMessage["type"] = "hello";
  #peerFilter: Filter = [];

  constructor(self: PeerId, filter: Filter) {
    this.#self = self;
    this.#filter = filter;
  }

  /** Of the other side, once it said. */
  get peer(): PeerId | undefined {
    return this.#peer;
  }

  /** What the side that dialled begins with. */
  hello(): Buffer {
    this.#saidHello = true;
    return encodeHandshake({ type: "hello", sender: this.#self, minVersion: protocolVersion, maxVersion: protocolVersion });
  }

  receive(frame: Buffer): Step {
    try {
      return this.#handle(decodeHandshake(frame));
    } catch (thrown) {
      if (thrown instanceof HandshakeRefused) return this.refuse(thrown.code, thrown.message);
      if (thrown instanceof WireRefused) return this.refuse(dropCodes.badMessage, thrown.message);
      throw thrown;
    }
  }

  /** Ends the handshake from this side. */
  refuse(code: number, reason: string): Step {
    return { kind: "failed", reason, send: [encodeHandshake({ type: "drop_conn", sender: this.#self, code, reason })] };
  }

  #handle(message: HandshakeMessage): Step {
    if (message.type === "probe") return { kind: "on", send: [] };
    if (message.type === "drop_conn") {
      const { sender, code, reason } = message;
      return { kind: "failed", reason: `the other side ended the handshake: ${reason} (code ${code})`, send: [], dropped: { sender, code, reason } };
    }
    // A side that was asked to lead answers a hello by selecting the version.
    const expected = message.type === this.#wanted || (message.type === "version_select" && this.#wanted === "hello" && this.#saidHello);
    if (!expected) return this.refuse(dropCodes.badTag, `${message.type} came out of turn`);
    switch (message.type) {
      case "hello":
        return this.#greeted(message.sender, message.minVersion, message.maxVersion);
      case "version_select":
        return this.#selected(message.sender, message.version);
      case "originator_syn":
        this.#peerFilter = message.filter;
        this.#wanted = "originator_ack";
        return { kind: "on", send: [encodeHandshake({ type: "responder_syn_ack", filter: this.#filter })] };
      case "responder_syn_ack":
        return this.#done(message.filter, [encodeHandshake({ type: "originator_ack" })]);
      case "originator_ack":
        return this.#done(this.#peerFilter, []);
    }
  }

  #greeted(peer: PeerId, least: number, most: number): Step {
    if (least > protocolVersion || most < protocolVersion) {
      return this.refuse(dropCodes.incompatible, `unsupported versions offered: ${least} to ${most}, this side has ${protocolVersion}`);
    }
    if (peer === this.#self || peer === nobody) return this.refuse(dropCodes.incompatible, "an endpoint has an id of its own");
    this.#peer = peer;
    if (this.#self < peer) {
      this.#wanted = "responder_syn_ack";
      const select = encodeHandshake({ type: "version_select", sender: this.#self, version: protocolVersion });
      return { kind: "met", peer, send: [select, encodeHandshake({ type: "originator_syn", filter: this.#filter })] };
    }
    this.#wanted = "version_select";
    return { kind: "met", peer, send: this.#saidHello ? [] : [this.hello()] };
  }

  #selected(peer: PeerId, version: number): Step {
    if (version !== protocolVersion) return this.refuse(dropCodes.incompatible, `version ${version} was selected, this side has ${protocolVersion}`);
    if (peer === this.#self || peer === nobody || (this.#peer !== undefined && this.#peer !== peer)) return this.refuse(dropCodes.incompatible, "the endpoint changed its id");
    this.#wanted = "originator_syn";
    if (this.#peer === peer) return { kind: "on", send: [] };
    this.#peer = peer;
    return { kind: "met", peer, send: [] };
  }

  #done(filter: Filter, send: readonly Buffer[]): Step {
    return { kind: "done", peer: this.#peer ?? nobody, filter, send };
  }
}
