import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Host } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import type { Link, LinkOwner } from "../link.ts";
import { Pulse } from "../pulse.ts";
import type { Troubles } from "../troubles.ts";
import { decodeValue } from "../wire/binary.ts";
import { eventOf, type ZeekEvent } from "../wire/event.ts";
import { readable, vector } from "../wire/value.ts";
import { Writer } from "../wire/writer.ts";
import type { Filter } from "./handshake-message.ts";
import { decodeMessage, eventHead, filterOf, messageHead, messageTypes, type PeerMessage, rawPayload, reservedTopic, valuePayload, writeMessage } from "./message.ts";
import { identityOf, nobody, type PeerId } from "./peer-id.ts";

/** Bytes that may wait in the socket before the sender does. */
const highWater = 262_144;
/** Bytes collected before they go to the socket at once instead of at the end of this turn. */
const batch = 65_536;
/** Bytes that unanswered answers to pings may take: a peer that pings and does not read is cut off. */
const mostUnread = 16 * 1_048_576;
/** Events after which a ping asks whether they came, unless one is under way. */
const pingEvery = 1_024;
/** Begins the payload of the ping that says good-bye (Broker 2.5 and later). */
const bye = Buffer.from("BYE");
/** Milliseconds to wait for the answer to our good-bye. Broker waits 3,000. */
const farewell = 1_000;

export interface PeeringSetup {
  readonly self: PeerId;
  readonly peer: PeerId;
  readonly remote: string;
  readonly filter: Filter;
  readonly peerFilter: Filter;
  readonly socket: Socket;
  readonly host: Host;
  readonly troubles: Troubles;
}

/** A native peering whose handshake is done: events both ways, filters, pings and the good-bye. Reads whatever comes at once, always. */
export class Peering implements Link {
  readonly identity: string;
  readonly remote: string;
  readonly pace = 0;
  readonly #setup: PeeringSetup;
  readonly #out = new Writer(2 * batch);
  readonly #pulse: Pulse;
  #peerFilter: Filter;
  /** A topic known to be in it. */
  #wanted: string | undefined;
  /** Of the event sent last, all before its arguments. */
  #head: { readonly topic: string; readonly name: string; readonly bytes: Buffer } | undefined;
  #owner: LinkOwner | undefined;
  #flushing = false;
  #open = true;
  #answered: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(setup: PeeringSetup) {
    this.#setup = setup;
    this.identity = identityOf(setup.peer);
    this.remote = setup.remote;
    this.#peerFilter = setup.peerFilter;
    this.#pulse = new Pulse(setup.host.clock, () => this.#open, (number) => this.#ping(number));
    setup.socket.on("drain", () => this.#pulse.wake());
  }

  get unconfirmed(): number {
    return this.#pulse.unconfirmed;
  }

  belongTo(owner: LinkOwner): void {
    this.#owner = owner;
  }

  send(topic: string, { name, args }: ZeekEvent): void {
    if (!this.#open) return;
    if (this.#head?.topic !== topic || this.#head.name !== name) {
      this.#head = { topic, name, bytes: Buffer.concat([messageHead({ sender: this.#setup.self, receiver: nobody, type: messageTypes.data, topic }), eventHead(name)]) };
    }
    this.#put(this.#head.bytes, valuePayload(vector(args)));
    this.#pulse.sent(pingEvery);
  }

  /** Broker drops what is on no topic of its filter. */
  listening(topic: string): boolean | Promise<boolean> {
    return !this.#open || this.#wants(topic) ? this.#open : this.#pulse.until(() => this.#wants(topic));
  }

  room(): boolean | Promise<boolean> {
    return !this.#open || this.#isRoomy() ? this.#open : this.#pulse.until(() => this.#isRoomy());
  }

  #wants(topic: string): boolean {
    if (this.#wanted !== topic && this.#peerFilter.some((prefix) => topic.startsWith(prefix))) this.#wanted = topic;
    return this.#wanted === topic;
  }

  #isRoomy(): boolean {
    return this.#setup.socket.writableLength + this.#out.length < highWater;
  }

  sign(): Promise<boolean> {
    return this.#pulse.sign();
  }

  /** Asks for a sign of life after `interval` ms of silence, or when something was sent; gives up after three times as many. */
  tend(interval: number): void {
    if (this.#open && !this.#pulse.tend(interval)) this.drop();
  }

  #ping(number: number): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(number, 4);
    this.#write({ receiver: this.#setup.peer, type: messageTypes.ping, topic: reservedTopic }, rawPayload(payload));
    this.#flush();
  }

  /** Takes one frame. Never throws: what cannot be read is counted, and the next one is. */
  receive(frame: Buffer): void {
    this.#pulse.hear();
    // A frame of no length is a sign of life.
    if (frame.length > 0) {
      try {
        this.#handle(decodeMessage(frame));
      } catch (thrown) {
        this.#setup.troubles.count("zeek_frames_refused", "a frame from Zeek cannot be read; it is left out", { remote: this.remote, reason: reasonOf(thrown) });
      }
    }
    this.#pulse.wake();
  }

  #handle(message: PeerMessage): void {
    const { self } = this.#setup;
    if (message.receiver !== nobody && message.receiver !== self) return;
    switch (message.type) {
      case messageTypes.data:
        return this.#handleData(message);
      case messageTypes.routingUpdate:
        this.#peerFilter = filterOf(message);
        this.#wanted = undefined;
        return;
      case messageTypes.ping:
        if (this.#setup.socket.writableLength > mostUnread) return this.drop();
        this.#write({ receiver: this.#setup.peer, type: messageTypes.pong, topic: reservedTopic }, rawPayload(message.payload));
        this.#flush();
        return;
      case messageTypes.pong:
        this.#answeredBy(message.payload);
    }
  }

  #answeredBy(payload: Buffer): void {
    if (payload.subarray(0, 3).equals(bye)) {
      this.#pulse.answered();
      this.#answered?.();
    } else if (payload.length === 8) this.#pulse.answered(payload.readUInt32BE(4));
  }

  /** Zeek sends messages that nobody asked for, e.g. the description of its logs: those are left alone without being read. */
  #handleData({ topic, payload }: PeerMessage): void {
    const name = readable(topic);
    if (!this.#setup.filter.some((prefix) => name.startsWith(prefix))) return;
    const event = eventOf(decodeValue(payload));
    if (event !== undefined) this.#owner?.received(name, event);
  }

  /** Says good-bye and waits for the answer, a second at most: what was sent before has then been taken. */
  close(): Promise<void> {
    return (this.#closing ??= this.#sayBye());
  }

  async #sayBye(): Promise<void> {
    const over = new AbortController();
    const answered = new Promise<void>((resolve) => (this.#answered = resolve));
    const gone = this.#pulse.until(() => false);
    this.#pulse.mark();
    this.#write({ receiver: this.#setup.peer, type: messageTypes.ping, topic: reservedTopic }, rawPayload(Buffer.concat([bye, Buffer.of(1, 0, 0, 0, 0, 0, 0, 0x10)])));
    this.#flush();
    await Promise.race([answered, gone, this.#setup.host.clock.sleep(farewell, over.signal)]);
    over.abort();
    this.drop();
  }

  /** Ends it at once. */
  drop(): void {
    if (!this.#open) return;
    this.#flush();
    this.#open = false;
    this.#setup.socket.destroySoon();
    this.#pulse.wake();
    this.#owner?.closed();
  }

  #write(message: Pick<PeerMessage, "receiver" | "type" | "topic">, payload: (writer: Writer) => void): void {
    this.#put(messageHead({ sender: this.#setup.self, ...message }), payload);
  }

  #put(head: Buffer, payload: (writer: Writer) => void): void {
    writeMessage(head, payload, this.#out);
    if (this.#out.length >= batch) return this.#flush();
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#open && this.#out.length > 0) this.#setup.socket.write(this.#out.take());
  }
}
