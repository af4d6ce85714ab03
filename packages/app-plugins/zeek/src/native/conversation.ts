import type { Socket } from "node:net";
import type { Host } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import type { Ending, Reception, Refusal } from "../link.ts";
import type { Call } from "../redialler.ts";
import type { Troubles } from "../troubles.ts";
import { WireRefused } from "../wire/refusal.ts";
import { adviceFor } from "./advice.ts";
import { FrameSplitter } from "./framing.ts";
import { type Drop, Handshake, type Step } from "./handshake.ts";
import { dropCodes, type Filter } from "./handshake-message.ts";
import { identityOf, type PeerId } from "./peer-id.ts";
import { Peering } from "./peering.ts";

/** Bytes of a frame while nobody knows who it is. Zeek's filter comes in one, and has a topic more with every connection: room for 20,000. */
const mostInHandshake = 1_048_576;
/** Milliseconds for what is still in the socket when it closes. */
const lastWords = 1_000;

/** In the other side's terms. A Zeek that is told so logs it, and dials again as it would in any case. */
const refusals: Readonly<Record<Refusal["kind"], readonly [code: number, text: string]>> = {
  redundant: [dropCodes.redundant, "redundant connection"],
  full: [dropCodes.logic, "too many peers"],
  stopping: [dropCodes.shuttingDown, "shutting down"],
};

export interface Terms {
  readonly self: PeerId;
  readonly filter: Filter;
  readonly host: Host;
  readonly troubles: Troubles;
  readonly reception: Reception;
  /** Bytes of a frame. */
  readonly maxFrame: number;
  /** Milliseconds from connecting to the end of the handshake. */
  readonly handshakeTimeout: number;
}

/** One connection from its first byte to its end: frames, handshake, peering. The socket is its own from here on. */
export class Conversation implements Call {
  readonly #socket: Socket;
  readonly #remote: string;
  readonly #terms: Terms;
  readonly #handshake: Handshake;
  readonly #splitter: FrameSplitter;
  readonly #over = new AbortController();
  /** Frames that came while it was being decided whether the peer may stay. */
  readonly #frames: Buffer[] = [];
  #deciding = false;
  #peering: Peering | undefined;
  #ending: Ending | undefined;
  /** Resolves when the connection is gone. */
  readonly ended: Promise<Ending>;

  /** @param dialled the socket's event at which the connection stands, if this side dials */
  constructor(socket: Socket, remote: string, terms: Terms, dialled?: "connect" | "secureConnect") {
    this.#socket = socket;
    this.#remote = remote;
    this.#terms = terms;
    this.#handshake = new Handshake(terms.self, terms.filter);
    this.#splitter = new FrameSplitter(Math.min(terms.maxFrame, mostInHandshake));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 10_000);
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        this.#over.abort();
        this.#peering?.drop();
        resolve(this.#ending ?? this.#endingFor("the other side closed the connection"));
      });
    });
    socket.on("error", (error) => this.#end(reasonOf(error)));
    socket.on("end", () => this.#end("the other side closed the connection"));
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    if (dialled !== undefined) socket.once(dialled, () => socket.write(this.#handshake.hello()));
    void this.#limitHandshake();
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    await this.#peering?.close();
    this.#end("closed by this side");
    await this.ended;
  }

  tend(interval: number): void {
    this.#peering?.tend(interval);
  }

  async #limitHandshake(): Promise<void> {
    await this.#terms.host.clock.sleep(this.#terms.handshakeTimeout, this.#over.signal);
    if (this.#peering !== undefined || this.#ending !== undefined) return;
    const silent = this.#handshake.peer === undefined && this.#splitter.held === 0;
    if (this.#socket.connecting) this.#end("no connection in time");
    else this.#end(silent ? "silent: no Broker of Zeek 5.0 or later; Zeek 4 and older speak another protocol" : "the handshake was not done in time");
  }

  #take(chunk: Buffer): void {
    try {
      for (const frame of this.#splitter.push(chunk)) {
        if (this.#peering === undefined) this.#frames.push(frame);
        else this.#peering.receive(frame);
        if (this.#peering === undefined) this.#proceed();
      }
    } catch (thrown) {
      if (!(thrown instanceof WireRefused)) throw thrown;
      this.#end(`${thrown.message}; is it a Broker peer at all, and TLS on both sides or on none?`);
    }
  }

  /** Goes through the frames that wait. */
  #proceed(): void {
    while (!this.#deciding && this.#ending === undefined) {
      const frame = this.#frames.shift();
      if (frame === undefined) return;
      if (this.#peering !== undefined) this.#peering.receive(frame);
      else this.#advance(this.#handshake.receive(frame));
    }
  }

  #advance(step: Step): void {
    if (step.kind === "met") {
      this.#deciding = true;
      this.#socket.pause();
      void this.#decide(step);
      return;
    }
    for (const bytes of step.send) this.#socket.write(bytes);
    if (step.kind === "failed") this.#end(step.reason, step.dropped);
    else if (step.kind === "done") this.#stand(step);
  }

  async #decide({ peer, send }: Extract<Step, { kind: "met" }>): Promise<void> {
    const refusal = await this.#terms.reception.admit(identityOf(peer), this.#over.signal);
    this.#deciding = false;
    if (this.#ending !== undefined) return;
    if (refusal !== undefined) this.#refuse(refusal);
    else for (const bytes of send) this.#socket.write(bytes);
    this.#socket.resume();
    this.#proceed();
  }

  #refuse({ kind, reason }: Refusal): void {
    for (const bytes of this.#handshake.refuse(...refusals[kind]).send) this.#socket.write(bytes);
    this.#end(reason, undefined, kind === "redundant");
  }

  #stand({ peer, filter: peerFilter }: Extract<Step, { kind: "done" }>): void {
    const { self, filter, host, troubles, reception, maxFrame } = this.#terms;
    const peering = new Peering({ self, peer, remote: this.#remote, filter, peerFilter, socket: this.#socket, host, troubles });
    const owner = reception.take(peering);
    if (owner === undefined) return this.#end("the bus is stopping");
    peering.belongTo(owner);
    this.#peering = peering;
    this.#splitter.limit = maxFrame;
  }

  #end(reason: string, dropped?: Drop, redundant = false): void {
    if (this.#ending !== undefined) return;
    this.#ending = this.#endingFor(reason, dropped, redundant);
    this.#peering?.drop();
    if (this.#socket.connecting) this.#socket.destroy();
    // What was written last, a drop_conn perhaps, still goes out.
    else this.#socket.destroySoon();
    void this.#terms.host.clock.sleep(lastWords, this.#over.signal).then(() => this.#socket.destroy());
  }

  #endingFor(reason: string, dropped?: Drop, redundant = false): Ending {
    const stood = this.#peering !== undefined;
    if (dropped === undefined) return { stood, reason, redundant };
    // It is the other side that saw the second connection first; if it is wrong about the first, that has gone here.
    const standing = dropped.code === dropCodes.redundant ? this.#terms.reception.remoteOf(identityOf(dropped.sender)) : undefined;
    return { stood, reason: standing === undefined ? reason : `${reason}: it is connected as ${standing}`, redundant: standing !== undefined, fields: adviceFor(dropped) };
  }
}
