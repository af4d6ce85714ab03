import type { Host } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import { WebSocket } from "ws";
import type { Link, LinkOwner, TakeLink } from "../link.ts";
import type { Troubles } from "../troubles.ts";
import { eventOf, valueOf, type ZeekEvent } from "../wire/event.ts";
import { decodeJson, type JsonMessage } from "../wire/json.ts";
import { encodeJson } from "../wire/json-print.ts";
import { utc, type Zone } from "../wire/time.ts";
import { readable } from "../wire/value.ts";

/** Bytes that may wait in the socket before the sender does. */
const highWater = 131_072;
/** Milliseconds for a closing handshake. */
const farewell = 1_000;

export interface SessionSetup {
  readonly socket: WebSocket;
  readonly remote: string;
  /** Prefixes of topics; what Zeek publishes on others does not come. */
  readonly topics: readonly string[];
  /** Of a Zeek before 8.0. */
  readonly zone: Zone;
  readonly pace: number;
  /** Milliseconds from the open connection to Zeek's acknowledgement. */
  readonly ackTimeout: number;
  readonly host: Host;
  readonly troubles: Troubles;
  readonly takeLink: TakeLink;
}

/** How a session ended. */
export interface SessionEnding {
  readonly acknowledged: boolean;
  readonly reason: string;
}

/**
 * Zeek's WebSocket protocol, version 1, on a connection that either side opened: the first message names the topics, Zeek acknowledges, then events go
 * both ways as JSON.
 */
export class Session implements Link {
  readonly remote: string;
  readonly pace: number;
  readonly #setup: SessionSetup;
  readonly #socket: WebSocket;
  readonly #over = new AbortController();
  #identity: string;
  #owner: LinkOwner | undefined;
  /** Set by the acknowledgement. */
  #style: { readonly zone: Zone; readonly decimals: 3 | 9 } | undefined;
  #reason: string | undefined;
  #heard: number;
  /** Whether it was asked for a sign of life since. */
  #asked = false;
  #pinged = 0;
  /** Events sent, those of them that were before the latest ping, and before the latest that was answered. */
  #sent = 0;
  #marked = 0;
  #confirmed = 0;
  #closing: Promise<void> | undefined;
  readonly #waiting = new Set<() => void>();
  /** Resolves when the connection is gone. */
  readonly ended: Promise<SessionEnding>;

  constructor(setup: SessionSetup) {
    const { socket, host } = setup;
    this.#setup = setup;
    this.#socket = socket;
    this.remote = setup.remote;
    this.pace = setup.pace;
    this.#identity = setup.remote;
    this.#heard = host.clock.now();
    socket.on("message", (data: Buffer) => this.#receive(data));
    socket.on("ping", () => this.#hear());
    socket.on("pong", (payload: Buffer) => {
      this.#hear();
      if (String(payload) === String(this.#pinged)) this.#confirmed = this.#marked;
    });
    socket.on("error", (error) => (this.#reason ??= reasonOf(error)));
    this.ended = new Promise((resolve) => socket.once("close", (code: number, reason: Buffer) => resolve(this.#gone(code, reason.toString()))));
    if (socket.readyState === WebSocket.OPEN) this.#begin();
    else socket.once("open", () => this.#begin());
  }

  get identity(): string {
    return this.#identity;
  }

  get unconfirmed(): number {
    return this.#sent - this.#confirmed;
  }

  belongTo(owner: LinkOwner): void {
    this.#owner = owner;
  }

  send(topic: string, event: ZeekEvent): void {
    if (this.#style === undefined || this.#socket.readyState !== WebSocket.OPEN) return;
    // Text, not binary: Broker's own server drops the connection otherwise.
    this.#socket.send(encodeJson(topic, valueOf(event), this.#style), { binary: false }, () => this.#wake());
    this.#sent++;
  }

  /** The script listens before it subscribes: there is no filter to wait for. */
  listening(): boolean {
    return this.#open;
  }

  room(): boolean | Promise<boolean> {
    const roomy = (): boolean => this.#socket.bufferedAmount < highWater;
    if (!this.#open || roomy()) return this.#open;
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#open && !roomy()) return;
        this.#waiting.delete(look);
        resolve(this.#open);
      };
      this.#waiting.add(look);
    });
  }

  /** Asks for a sign of life after `interval` ms of silence, or when something was sent; gives up after three times as many. */
  tend(interval: number): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    const silence = this.#setup.host.clock.now() - this.#heard;
    if (this.#asked && silence >= 3 * interval) this.#fail("no sign of life");
    else if (silence >= interval || (this.unconfirmed > 0 && !this.#asked)) {
      this.#asked = true;
      this.#marked = this.#sent;
      this.#socket.ping(String(++this.#pinged));
    }
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
    await Promise.race([this.ended, this.#setup.host.clock.sleep(farewell, this.#over.signal)]);
    this.#socket.terminate();
    await this.ended;
  }

  #begin(): void {
    const { topics, ackTimeout, host } = this.#setup;
    this.#heard = host.clock.now();
    this.#socket.send(JSON.stringify(topics), { binary: false });
    void host.clock.sleep(ackTimeout, this.#over.signal).then(() => {
      if (this.#over.signal.aborted || this.#style !== undefined) return;
      this.#fail("no acknowledgement: is a cluster backend loaded in Zeek? From 8.1 a bare zeek has none: @load frameworks/cluster/backend/broker or frameworks/cluster/backend/zeromq");
    });
  }

  #hear(): void {
    this.#heard = this.#setup.host.clock.now();
    this.#asked = false;
  }

  /** Takes one message. Never throws: what cannot be read is counted, and the next one is. */
  #receive(data: Buffer): void {
    const { troubles, zone } = this.#setup;
    this.#hear();
    try {
      this.#handle(decodeJson(data, this.#style?.zone ?? zone));
    } catch (thrown) {
      troubles.count("zeek_frames_refused", "a message from Zeek cannot be read; it is left out", { remote: this.remote, reason: reasonOf(thrown) });
    }
  }

  #handle(message: JsonMessage): void {
    const { host, troubles } = this.#setup;
    switch (message.type) {
      case "ack":
        return this.#acknowledged(message.endpoint, message.version);
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
    if (this.#style !== undefined) return;
    const { takeLink, host, zone, remote } = this.#setup;
    // Broker's own server tells the version of Broker, 2.x, which leaves open what time zone its times are in.
    const modern = Number.parseInt(zeekVersion, 10) >= 8;
    this.#style = { zone: modern ? utc : zone, decimals: modern ? 9 : 3 };
    const process = endpoint.replace(/-?websocket-\d+$/, "").slice(0, 200);
    this.#identity = process === "" ? remote : `websocket:${process}`;
    host.logger.debug("Zeek acknowledged", { remote, version: zeekVersion.slice(0, 50), endpoint: endpoint.slice(0, 200) });
    const owner = takeLink(this);
    if (owner === undefined) this.#fail("not taken: there are too many Zeeks, or the bus is stopping");
    else this.belongTo(owner);
  }

  #fail(reason: string): void {
    this.#reason ??= reason;
    void this.close();
  }

  #gone(code: number, text: string): SessionEnding {
    const acknowledged = this.#style !== undefined;
    this.#over.abort();
    this.#wake();
    this.#owner?.closed();
    return { acknowledged, reason: this.#reason ?? `closed by the other side: ${code}${text === "" ? "" : ` ${text.slice(0, 200)}`}` };
  }

  #wake(): void {
    for (const look of [...this.#waiting]) look();
  }
}
