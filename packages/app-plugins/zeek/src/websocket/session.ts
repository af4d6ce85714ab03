import { reasonOf } from "@threatbus/core";
import { WebSocket } from "ws";
import type { Ending, Link, LinkOwner, Refusal } from "../link.ts";
import { Pulse } from "../pulse.ts";
import type { Call } from "../redialler.ts";
import { eventOf, valueOf, type ZeekEvent } from "../wire/event.ts";
import { decodeJson, type JsonMessage } from "../wire/json.ts";
import { encodeJson } from "../wire/json-print.ts";
import { utc, type Zone } from "../wire/time.ts";
import { readable } from "../wire/value.ts";
import type { WebSocketTerms } from "./terms.ts";

/** Bytes that may wait in the socket before the sender does. */
const highWater = 131_072;
/** Milliseconds for a closing handshake. */
const farewell = 1_000;

export interface SessionSetup {
  readonly socket: WebSocket;
  readonly remote: string;
  /** Of a Zeek before 8.0. */
  readonly zone: Zone;
  readonly pace: number;
  readonly terms: WebSocketTerms;
}

/**
 * Zeek's WebSocket protocol, version 1, on a connection that either side opened: the first message names the topics, Zeek acknowledges, then events go
 * both ways as JSON.
 */
export class Session implements Link, Call {
  readonly remote: string;
  readonly pace: number;
  readonly #terms: WebSocketTerms;
  readonly #zone: Zone;
  readonly #socket: WebSocket;
  readonly #pulse: Pulse;
  readonly #over = new AbortController();
  #identity: string;
  #owner: LinkOwner | undefined;
  /** Set by the acknowledgement. */
  #style: { readonly zone: Zone; readonly decimals: 3 | 9 } | undefined;
  /** Messages that came while it was being decided whether this Zeek may stay. */
  #early: JsonMessage[] | undefined;
  #reason: string | undefined;
  #redundant = false;
  #closing: Promise<void> | undefined;
  /** Resolves when the connection is gone. */
  readonly ended: Promise<Ending>;

  constructor({ socket, remote, zone, pace, terms }: SessionSetup) {
    this.remote = remote;
    this.pace = pace;
    this.#terms = terms;
    this.#zone = zone;
    this.#socket = socket;
    this.#identity = remote;
    this.#pulse = new Pulse(terms.host.clock, () => this.#open, (number) => socket.ping(String(number)));
    socket.on("message", (data: Buffer) => this.#receive(data));
    socket.on("ping", () => this.#hear());
    socket.on("pong", (payload: Buffer) => {
      this.#pulse.answered(Number(String(payload)));
      this.#hear();
    });
    socket.on("error", (error) => (this.#reason ??= reasonOf(error)));
    this.ended = new Promise((resolve) => socket.once("close", (code: number, reason: Buffer) => resolve(this.#gone(code, reason.toString()))));
    if (socket.readyState === WebSocket.OPEN) this.#begin();
    else socket.once("open", () => this.#begin());
  }

  get acknowledged(): boolean {
    return this.#style !== undefined;
  }

  get identity(): string {
    return this.#identity;
  }

  get unconfirmed(): number {
    return this.#pulse.unconfirmed;
  }

  send(topic: string, event: ZeekEvent): void {
    if (this.#style === undefined || this.#socket.readyState !== WebSocket.OPEN) return;
    // Text, not binary: Broker's own server drops the connection otherwise.
    this.#socket.send(encodeJson(topic, valueOf(event), this.#style), { binary: false }, () => this.#pulse.wake());
    this.#pulse.sent();
  }

  /** The script listens before it subscribes: there is no filter to wait for. */
  listening(): boolean {
    return this.#open;
  }

  room(): boolean | Promise<boolean> {
    const roomy = (): boolean => this.#socket.bufferedAmount < highWater;
    return !this.#open || roomy() ? this.#open : this.#pulse.until(roomy);
  }

  sign(): Promise<boolean> {
    return this.#pulse.sign();
  }

  /** Asks for a sign of life after `interval` ms of silence, or when something was sent; gives up after three times as many. */
  tend(interval: number): void {
    if (this.#socket.readyState === WebSocket.OPEN && !this.#pulse.tend(interval)) this.#fail("no sign of life");
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#shake());
  }

  get #open(): boolean {
    return this.#style !== undefined && this.#socket.readyState === WebSocket.OPEN;
  }

  async #shake(): Promise<void> {
    this.#reason ??= "closed by this side";
    this.#socket.close(1000);
    await Promise.race([this.ended, this.#terms.host.clock.sleep(farewell, this.#over.signal)]);
    this.#socket.terminate();
    await this.ended;
  }

  #begin(): void {
    const { topics, handshakeTimeout, host } = this.#terms;
    this.#pulse.hear();
    this.#socket.send(JSON.stringify(topics), { binary: false });
    void host.clock.sleep(handshakeTimeout, this.#over.signal).then(() => {
      if (this.#over.signal.aborted || this.#style !== undefined) return;
      this.#fail("no acknowledgement: is a cluster backend loaded in Zeek? From 8.1 a bare zeek has none: @load frameworks/cluster/backend/broker or frameworks/cluster/backend/zeromq");
    });
  }

  #hear(): void {
    this.#pulse.hear();
    this.#pulse.wake();
  }

  #receive(data: Buffer): void {
    this.#hear();
    this.#reading(() => {
      const message = decodeJson(data, this.#style?.zone ?? this.#zone);
      if (this.#early === undefined) this.#handle(message);
      else this.#early.push(message);
    });
  }

  /** Never throws: what cannot be read is counted, and the next one is. */
  #reading(read: () => void): void {
    try {
      read();
    } catch (thrown) {
      this.#terms.troubles.count("zeek_frames_refused", "a message from Zeek cannot be read; it is left out", { remote: this.remote, reason: reasonOf(thrown) });
    }
  }

  #handle(message: JsonMessage): void {
    const { host, troubles } = this.#terms;
    switch (message.type) {
      case "ack":
        if (this.#style === undefined) this.#acknowledged(message.endpoint, message.version);
        return;
      case "error": {
        const { code, context } = message;
        const fields = { remote: this.remote, code: code.slice(0, 100), context: context.slice(0, 500) };
        if (this.#style === undefined) this.#fail(`Zeek refuses the subscription: ${fields.code}, ${fields.context}`);
        // Up to 8.0.2 Zeek tells its clients what goes wrong between it and others (zeek PR #4931).
        else if (code === "broker_error") host.logger.debug("Zeek reports an error of its own", fields);
        else troubles.count("zeek_errors", "Zeek did not take an event; is threatbus.zeek of this package loaded there?", fields);
        return;
      }
      case "data-message": {
        const topic = readable(message.topic);
        const event = eventOf(message.value);
        if (event !== undefined) this.#owner?.received(topic, event);
      }
    }
  }

  /** `endpoint` is `<process>-websocket-<n>` from Zeek's Cluster server, a UUID from Broker's; the process is empty without a cluster backend. */
  #acknowledged(endpoint: string, zeekVersion: string): void {
    const { reception, host } = this.#terms;
    const { remote } = this;
    // Broker's own server tells the version of Broker, 2.x, which leaves open what time zone its times are in.
    const modern = Number.parseInt(zeekVersion, 10) >= 8;
    this.#style = { zone: modern ? utc : this.#zone, decimals: modern ? 9 : 3 };
    const process = endpoint.replace(/-?websocket-\d+$/, "").slice(0, 200);
    this.#identity = process === "" ? remote : `websocket:${process}`;
    host.logger.debug("Zeek acknowledged", { remote, version: zeekVersion.slice(0, 50), endpoint: endpoint.slice(0, 200) });
    const refusal = reception.admit(this.#identity, this.#over.signal);
    if (refusal instanceof Promise) void this.#decide(refusal);
    else this.#enter(refusal);
  }

  /** What comes meanwhile waits: a script subscribes as soon as it has acknowledged. */
  async #decide(refusal: Promise<Refusal | undefined>): Promise<void> {
    const early: JsonMessage[] = (this.#early = []);
    this.#socket.pause();
    const decided = await refusal;
    this.#socket.resume();
    this.#early = undefined;
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#enter(decided);
    for (const message of early) this.#reading(() => this.#handle(message));
  }

  #enter(refusal: Refusal | undefined): void {
    this.#redundant = refusal?.kind === "redundant";
    this.#owner = refusal === undefined ? this.#terms.reception.take(this) : undefined;
    if (this.#owner === undefined) this.#fail(refusal?.reason ?? "the bus is stopping");
  }

  #fail(reason: string): void {
    this.#reason ??= reason;
    void this.close();
  }

  #gone(code: number, text: string): Ending {
    this.#over.abort();
    this.#pulse.wake();
    const stood = this.#owner !== undefined;
    this.#owner?.closed();
    return { stood, reason: this.#reason ?? `closed by the other side: ${code}${text === "" ? "" : ` ${text.slice(0, 200)}`}`, redundant: this.#redundant };
  }
}
