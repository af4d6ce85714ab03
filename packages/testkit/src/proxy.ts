import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { freePort } from "./ports.ts";
import { link, type Link } from "./link.ts";
import { mixSeed } from "./random.ts";
import type { Direction, Entry, Toxic } from "./toxics.ts";

export interface ChaosProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** The same seed corrupts and slices at the same bytes of the n-th connection. Default 1. */
  readonly seed?: number;
}

/** A TCP proxy on a free port of 127.0.0.1 that misbehaves on request. */
export interface ChaosProxy {
  readonly host: "127.0.0.1";
  readonly port: number;
  /** Open now. */
  readonly connections: number;
  /** Taken since the start. */
  readonly accepted: number;
  /** Puts a toxic to work on open and future connections, by default in both directions; returns its end. */
  add(toxic: Toxic, direction?: Direction): () => void;
  /** Ends every toxic. */
  clear(): void;
  /** Resets every connection and refuses new ones until `up`. Toxics stay. Twice is harmless. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Closes everything. Twice is harmless. */
  stop(): Promise<void>;
}

interface Connection {
  readonly sockets: readonly [client: Socket, upstream: Socket];
  readonly links: readonly Link[];
  readonly timers: Map<Entry, NodeJS.Timeout>;
}

const host = "127.0.0.1";

/** Starts a proxy before `target`, which need not be there yet: until it is, clients are reset. */
export async function chaosProxy({ target, seed = 1 }: ChaosProxyOptions): Promise<ChaosProxy> {
  const entries = new Set<Entry>();
  const open = new Set<Connection>();
  let accepted = 0;
  let added = 0;
  let server: Server | undefined = createServer({ allowHalfOpen: true }, take);
  const port = await freePort();
  server.listen(port, host);
  await once(server, "listening");

  function take(client: Socket): void {
    const number = accepted++;
    const upstream = connect({ ...target, allowHalfOpen: true });
    const close = (): void => connection.sockets.forEach((socket) => socket.destroySoon());
    const direct = (from: Socket, to: Socket, direction: "up" | "down"): Link =>
      link({ from, to, direction, entries, close, seed: mixSeed(seed, number, direction === "up" ? 0 : 1) });
    const connection: Connection = { sockets: [client, upstream], links: [], timers: new Map() };
    const links = [direct(client, upstream, "up"), direct(upstream, client, "down")];
    open.add(Object.assign(connection, { links }));
    watch(connection, client, upstream);
    watch(connection, upstream, client);
    for (const entry of entries) arm(connection, entry);
  }

  function watch(connection: Connection, socket: Socket, other: Socket): void {
    socket.setNoDelay(true);
    socket.on("error", () => other.resetAndDestroy());
    socket.on("close", () => {
      // After an orderly end what is held back still has to arrive; after anything else there is nobody to send it for.
      if (!socket.readableEnded) other.destroySoon();
      if (other.closed) forget(connection);
    });
  }

  function forget(connection: Connection): void {
    open.delete(connection);
    for (const timer of connection.timers.values()) clearTimeout(timer);
    for (const each of connection.links) each.end();
  }

  /** Toxics that end a connection by the clock. */
  function arm({ sockets, timers }: Connection, entry: Entry): void {
    const { toxic } = entry;
    if (toxic.type === "resetPeer") {
      timers.set(entry, setTimeout(() => sockets.forEach((socket) => socket.resetAndDestroy()), toxic.timeout ?? 0));
    } else if (toxic.type === "timeout" && toxic.timeout > 0) {
      timers.set(entry, setTimeout(() => sockets.forEach((socket) => socket.destroy()), toxic.timeout));
    }
  }

  function refresh(): void {
    for (const { links } of open) for (const each of links) each.refresh();
  }

  function remove(entry: Entry): void {
    if (!entries.delete(entry)) return;
    for (const { timers } of open) clearTimeout(timers.get(entry));
    refresh();
  }

  async function shut(end: (socket: Socket) => void): Promise<void> {
    const closing = server;
    server = undefined;
    const sockets = [...open].flatMap((connection) => connection.sockets).filter((socket) => !socket.closed);
    const gone = sockets.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    sockets.forEach(end);
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
    await Promise.all(gone);
  }

  return {
    host,
    port,
    get connections() {
      return open.size;
    },
    get accepted() {
      return accepted;
    },
    add(toxic, direction = "both") {
      const entry: Entry = { toxic, direction, ordinal: added++ };
      entries.add(entry);
      for (const connection of open) arm(connection, entry);
      refresh();
      return () => remove(entry);
    },
    clear() {
      for (const entry of entries) remove(entry);
    },
    // A socket still connecting to the target cannot be reset, only dropped.
    down: () => shut((socket) => (socket.connecting ? socket.destroy() : socket.resetAndDestroy())),
    async up() {
      if (server !== undefined) return;
      server = createServer({ allowHalfOpen: true }, take);
      server.listen(port, host);
      await once(server, "listening");
    },
    stop: () => shut((socket) => socket.destroy()),
  };
}
