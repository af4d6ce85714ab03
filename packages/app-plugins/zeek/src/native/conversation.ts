import type { Socket } from "node:net";
import type { Host } from "@threatbus/core";
import { reasonOf } from "@threatbus/core";
import type { TakeLink } from "../link.ts";
import type { Troubles } from "../troubles.ts";
import { WireRefused } from "../wire/refusal.ts";
import { FrameSplitter } from "./framing.ts";
import { type Drop, Handshake, type Step } from "./handshake.ts";
import { dropCodes, type Filter } from "./handshake-message.ts";
import type { PeerId } from "./peer-id.ts";
import { Peering } from "./peering.ts";
import type { Peers } from "./peers.ts";

/** Bytes of a frame while nobody knows who it is. Zeek's filter comes in one, and has a topic more with every connection: room for 20,000. */
const mostInHandshake = 1_048_576;

/** How a connection ended. */
export interface Ending {
  /** Whether the handshake had been done. */
  readonly peered: boolean;
  readonly reason: string;
  /** The other side's refusal in the handshake. */
  readonly dropped?: Drop;
}

export interface Terms {
  readonly self: PeerId;
  readonly filter: Filter;
  readonly host: Host;
  readonly troubles: Troubles;
  readonly peers: Peers;
  readonly takeLink: TakeLink;
  /** Bytes of a frame. */
  readonly maxFrame: number;
  /** Milliseconds from connecting to the end of the handshake. */
  readonly handshakeTimeout: number;
}

/** One connection from its first byte to its end: frames, handshake, peering. The socket is its own from here on. */
export class Conversation {
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

  constructor(socket: Socket, remote: string, dialled: boolean, terms: Terms) {
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
        resolve(this.#ending ?? { peered: this.#peering !== undefined, reason: "the other side closed the connection" });
      });
    });
    socket.on("error", (error) => this.#end(reasonOf(error)));
    socket.on("end", () => this.#end("the other side closed the connection"));
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    if (dialled) socket.write(this.#handshake.hello());
    void this.#limitHandshake();
  }

  get standing(): boolean {
    return this.#peering !== undefined;
  }

  /** Ends it in order. */
  async close(): Promise<void> {
    await this.#peering?.close();
    this.#end("closed by this side");
    await this.ended;
  }

  async #limitHandshake(): Promise<void> {
    await this.#terms.host.clock.sleep(this.#terms.handshakeTimeout, this.#over.signal);
    if (this.#peering !== undefined || this.#ending !== undefined) return;
    const silent = this.#handshake.peer === undefined && this.#splitter.held === 0;
    this.#end(silent ? "silent: no Broker of Zeek 5.0 or later; Zeek 4 and older speak another protocol" : "the handshake was not done in time");
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
    const { peers } = this.#terms;
    const admitted = await peers.admit(peer, this.#over.signal);
    this.#deciding = false;
    if (this.#ending !== undefined) return;
    if (!admitted) this.#advance(this.#handshake.refuse(dropCodes.redundant, "redundant connection"));
    else for (const bytes of send) this.#socket.write(bytes);
    this.#socket.resume();
    this.#proceed();
  }

  #stand({ peer, filter: peerFilter }: Extract<Step, { kind: "done" }>): void {
    const { self, filter, host, troubles, peers, takeLink } = this.#terms;
    const peering = new Peering({ self, peer, remote: this.#remote, filter, peerFilter, socket: this.#socket, host, troubles });
    const owner = takeLink(peering);
    if (owner === undefined) return this.#end("not taken: there are too many Zeeks, or the bus is stopping");
    peering.belongTo(owner);
    this.#peering = peering;
    this.#splitter.limit = this.#terms.maxFrame;
    peers.add(peering, this.#over.signal);
  }

  #end(reason: string, dropped?: Drop): void {
    if (this.#ending !== undefined) return;
    this.#ending = { peered: this.#peering !== undefined, reason, ...(dropped !== undefined && { dropped }) };
    this.#peering?.drop();
    // What was written last, a drop_conn perhaps, still goes out.
    this.#socket.destroySoon();
    void this.#terms.host.clock.sleep(lastWords, this.#over.signal).then(() => this.#socket.destroy());
  }
}

/** Milliseconds for what is still in the socket when it closes. */
const lastWords = 1_000;
