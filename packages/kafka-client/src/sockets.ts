import { EventEmitter } from "node:events";
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import type { ConnectionSettings } from "./contract.ts";
import { frameSplitter } from "./frames.ts";

/** What a client does with a connection. */
export interface FramedSocket {
  on(event: "data" | "end" | "error" | "timeout", listener: (...given: never[]) => void): this;
  write(bytes: Uint8Array): boolean;
  /** Says goodbye and lets nothing more through. */
  end(): void;
  unref(): void;
  destroy(reason: Error): void;
}

/** Milliseconds. */
const keepAlive = 5_000;
/** Milliseconds the other side has to answer a goodbye. */
const goodbye = 1_000;

/**
 * The connections of one client. Each hands over whole frames only and nothing after its end: a client that keeps what it received across
 * connections then has nothing to keep. No idle time-out is set: one breaks the joining of a group, in which a broker is silent for seconds.
 */
export class SocketSet {
  readonly #settings: Pick<ConnectionSettings, "tls" | "maxAnswerBytes">;
  readonly #onChange: (change: 1 | -1, reason?: Error) => void;
  readonly #open = new Set<FramedSocket>();
  #closed = false;

  /** @param onChange told of every connection that answers, and of its end, with a reason if it was not this side that ended it */
  constructor(settings: Pick<ConnectionSettings, "tls" | "maxAnswerBytes">, onChange: (change: 1 | -1, reason?: Error) => void) {
    this.#settings = settings;
    this.#onChange = onChange;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws Error once the set is closed */
  open(host: string, port: number, onConnect: () => void): FramedSocket {
    if (this.#closed) throw new Error("the client is closed");
    let stands = false;
    const heard = (): void => {
      stands = true;
      this.#onChange(1);
    };
    const ended = (reason: Error | undefined): void => {
      this.#open.delete(socket);
      if (stands) this.#onChange(-1, this.#closed ? undefined : reason);
    };
    const socket = framed(this.#dial(host, port), this.#settings.maxAnswerBytes, { onConnect, onHeard: heard, onClose: ended });
    this.#open.add(socket);
    return socket;
  }

  /** Breaks every connection; new ones may follow. */
  reset(reason: string): void {
    for (const socket of [...this.#open]) socket.destroy(new Error(reason));
  }

  /** Breaks every connection for good. */
  close(): void {
    this.#closed = true;
    this.reset("the client is closed");
  }

  #dial(host: string, port: number): Socket {
    const { tls } = this.#settings;
    if (tls === undefined) return connectPlain({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAlive });
    const { checkHost, ...secrets } = tls;
    const identity = checkHost ? checkServerIdentity : (): undefined => undefined;
    const socket = connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...secrets, checkServerIdentity: identity });
    return socket.setNoDelay(true).setKeepAlive(true, keepAlive);
  }
}

/**
 * Counts connections. A client ends what is left of its connections when one breaks, and gives no reason for those: the last reason counts
 * until a connection stands again, or nobody would hear of a break whose last connection the client ended.
 * @param onChange told how many stand, with the reason if one broke since the last that came to stand
 */
export function counted(onChange: (standing: number, broke?: Error) => void): (change: 1 | -1, reason?: Error) => void {
  let standing = 0;
  let broke: Error | undefined;
  return (change, reason) => {
    standing += change;
    broke = change > 0 ? undefined : (reason ?? broke);
    onChange(standing, broke);
  };
}

interface Ears {
  readonly onConnect: () => void;
  /** The first answer came. */
  readonly onHeard: () => void;
  readonly onClose: (reason: Error | undefined) => void;
}

function framed(wire: Socket, maxBytes: number, { onConnect, onHeard, onClose }: Ears): FramedSocket {
  const events = new EventEmitter();
  const splitter = frameSplitter(maxBytes);
  let [stands, heard, over] = [false, false, false];
  let why: Error | undefined;
  wire.once("encrypted" in wire ? "secureConnect" : "connect", () => {
    stands = true;
    if (!over) onConnect();
  });
  wire.on("data", (chunk) => {
    try {
      for (const frame of splitter.push(chunk)) {
        if (over) return;
        if (!heard) onHeard();
        heard = true;
        events.emit("data", frame);
      }
    } catch (thrown) {
      wire.destroy(thrown as Error);
    }
  });
  wire.on("end", () => {
    if (stands) finish();
  });
  wire.on("error", finish);
  wire.on("close", () => {
    finish();
    onClose(why);
  });
  // Told once: after an end there is no error, after an error no end. kafkajs waits for ever for a connection that ended before it stood.
  function finish(reason?: Error): void {
    if (over) return;
    over = true;
    why = reason ?? new Error("the broker closed the connection");
    if (reason === undefined && stands) events.emit("end");
    else events.emit("error", why);
  }
  const socket: FramedSocket = {
    on(event, listener) {
      events.on(event, listener as (...given: unknown[]) => void);
      return socket;
    },
    write: (bytes) => wire.write(bytes),
    end() {
      over = true;
      if (wire.connecting) wire.destroy();
      else wire.end();
      setTimeout(() => wire.destroy(), goodbye).unref();
    },
    unref: () => void wire.unref(),
    destroy: (reason) => void wire.destroy(reason),
  };
  return socket;
}
