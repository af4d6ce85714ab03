import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { reasonOf } from "@threatbus/core";
import { checkMechanism, checkVersion, commandOf, dataOf, errorOf, greetingOf, property, propertyOf, readable, short, upToVersion } from "./commands.ts";
import { ZmtpFault, ZmtpRefusal } from "./fault.ts";
import { Source } from "./source.ts";

const commandFlag = 0b100;

/** Bytes of answers that may wait for a peer to read them. */
const mostAnswers = 64 * 1024;

export interface Login {
  readonly username: string;
  readonly password: string;
}

export interface Subscription {
  /** What messages begin with. */
  readonly prefixes: readonly string[];
  /** PLAIN; without it, NULL. */
  readonly login?: Login | undefined;
  /** Of one frame. A peer that sends more is left. */
  readonly maxBytes: number;
  /** Milliseconds the handshake may take, and of silence before a heartbeat. A peer that answered one before is left when it does not in as many. */
  readonly beat: number;
  /** The peer has let us in. */
  readonly onReady: () => void;
  /** Takes a message. What it returns is waited for before the next. The bytes are good until then. */
  readonly take: (message: Uint8Array) => Promise<unknown> | undefined;
}

/**
 * A SUB socket's side of one connection (ZMTP 3.1, ZeroMQ RFC 37) with the mechanism NULL or PLAIN (RFC 24). Each part of a message is given away
 * as a message.
 */
export class Subscriber {
  readonly #socket: Socket;
  readonly #source: Source;
  readonly #subscription: Subscription;
  /** Bytes heard at the last beat, and beats since anything was heard. */
  #heard = 0;
  #silent = 0;
  /** It knows heartbeats: libzmq before 4.2 does not, and no version tells. */
  #answers = false;

  constructor(socket: Socket, subscription: Subscription) {
    this.#socket = socket;
    this.#source = new Source(socket, subscription.maxBytes);
    this.#subscription = subscription;
  }

  /** Never resolves. @throws ZmtpFault when the peer closed or fell silent, ZmtpRefusal when it did not let us in; errors of the socket */
  async run(): Promise<never> {
    const { prefixes, beat, onReady } = this.#subscription;
    const late = setTimeout(() => this.#socket.destroy(new ZmtpFault(`the handshake took longer than ${beat} ms`)), beat);
    await this.#handshake().finally(() => clearTimeout(late));
    // As messages that begin with 1, which every version takes, and not as the command of 3.1.
    for (const prefix of prefixes) this.#send(Buffer.from(`\x01${prefix}`), 0);
    onReady();
    this.#ask();
    // Looked at when what has come is read: this side may have been the one that stood still.
    const beats = setInterval(() => setImmediate(() => this.#beat()), beat);
    return await this.#traffic().finally(() => clearInterval(beats));
  }

  async #traffic(): Promise<never> {
    const { take } = this.#subscription;
    for (;;) {
      for (let frame = this.#source.frame(); frame !== undefined; frame = this.#source.frame()) {
        if (frame.command) this.#answer(frame.body);
        else {
          const busy = take(frame.body);
          if (busy !== undefined) await busy;
        }
      }
      await this.#source.more();
    }
  }

  /**
   * Asks for a sign of life where nothing comes. As long as the peer's bytes are not waited for, its silence means nothing. A question to a peer that is
   * leaving would cost what it has sent and we have not read, so that there is none without need.
   */
  #beat(): void {
    const { bytesRead } = this.#socket;
    this.#silent = this.#source.waiting && bytesRead === this.#heard ? this.#silent + 1 : 0;
    this.#heard = bytesRead;
    if (this.#silent === 1) this.#ask();
    else if (this.#silent > 1 && this.#answers) this.#socket.destroy(new ZmtpFault("nothing came any more, not even an answer to a heartbeat"));
  }

  #ask(): void {
    // With no time after which the peer should give us up.
    this.#send(commandOf("PING", Buffer.alloc(2)), commandFlag);
  }

  async #handshake(): Promise<void> {
    const { login } = this.#subscription;
    const mechanism = login === undefined ? "NULL" : "PLAIN";
    const greeting = greetingOf(mechanism);
    // libzmq leaves one whose mechanism is another before it has said its own: it is asked first.
    this.#socket.write(greeting.subarray(0, upToVersion));
    checkVersion(await this.#whole(() => this.#source.bytes(upToVersion)));
    checkMechanism(await this.#whole(() => this.#source.bytes(greeting.length - upToVersion)), mechanism);
    this.#socket.write(greeting.subarray(upToVersion));
    try {
      if (login !== undefined) {
        this.#send(commandOf("HELLO", short(login.username), short(login.password)), commandFlag);
        await this.#expect("WELCOME");
      }
      this.#send(commandOf(login === undefined ? "READY" : "INITIATE", property("Socket-Type", "SUB")), commandFlag);
      const type = propertyOf(await this.#expect("READY"), "socket-type");
      if (type !== "PUB" && type !== "XPUB") throw new ZmtpRefusal(`it is no publisher but ${readable(type ?? "something unnamed")}`);
    } catch (thrown) {
      throw thrown instanceof ZmtpRefusal ? thrown : new ZmtpRefusal(reasonOf(thrown));
    }
  }

  /** The data of the command that must come next. */
  async #expect(name: string): Promise<Buffer> {
    const frame = await this.#whole(() => this.#source.frame());
    const data = frame.command ? dataOf(frame.body, name) : undefined;
    if (data !== undefined) return data;
    const reason = errorOf(frame.body);
    throw new ZmtpRefusal(reason === undefined ? `it did not answer with ${name}` : `it answered with the error ${readable(reason)}`);
  }

  #answer(body: Buffer): void {
    const ping = dataOf(body, "PING");
    if (ping === undefined) this.#answers ||= dataOf(body, "PONG") !== undefined;
    else if (this.#socket.writableLength > mostAnswers) throw new ZmtpFault("it asks on and on and reads no answer");
    // Behind the time to live, its context goes back as it came.
    else this.#send(commandOf("PONG", ping.subarray(2, 18)), commandFlag);
  }

  /** Asks again and again, until all of it is here. */
  async #whole<T>(ask: () => T | undefined): Promise<T> {
    for (;;) {
      const asked = ask();
      if (asked !== undefined) return asked;
      await this.#source.more();
    }
  }

  #send(body: Buffer, flags: number): void {
    const head = body.length < 256 ? Buffer.from([flags, body.length]) : Buffer.from([flags | 0b10, 0, 0, 0, 0, 0, 0, 0, 0]);
    if (body.length >= 256) head.writeUInt32BE(body.length, 5);
    this.#socket.write(Buffer.concat([head, body]));
  }
}
