import type { XPublisher } from "zeromq";

export interface MispFeedOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** ZeroMQ PLAIN: what subscribers must name. */
  readonly secret?: { readonly username: string; readonly password: string };
}

/** MISP's ZeroMQ publisher: one frame a message, topic, blank, JSON. */
export interface MispFeed {
  readonly port: number;
  /** Resolves when each of these was subscribed to as written, since the feed was made. */
  joined(...topics: readonly string[]): Promise<void>;
  send(topic: string, body: unknown): Promise<void>;
  /** A frame as it is. */
  sendRaw(frame: string | Buffer): Promise<void>;
  /** Resolves when the port is free again. */
  stop(): Promise<void>;
}

/** Needs the package `zeromq`. */
export async function mispFeed({ port, secret }: MispFeedOptions = {}): Promise<MispFeed> {
  const { Reply, XPublisher } = await import("zeromq");
  const socket: XPublisher = new XPublisher({ linger: 0, sendHighWaterMark: 100_000, ...(secret && { plainServer: true, zapDomain: "global" }) });
  const zap = secret === undefined ? undefined : new Reply({ linger: 0 });
  if (zap !== undefined && secret !== undefined) {
    // Answers libzmq's questions about credentials (ZeroMQ RFC 27). One at a time in a process.
    await zap.bind("inproc://zeromq.zap.01");
    void (async () => {
      for await (const [version = "", request = "", , , , , user, word] of zap) {
        const right = String(user) === secret.username && String(word) === secret.password;
        await zap.send([version, request, right ? "200" : "400", "", "", ""]);
      }
    })();
  }
  await socket.bind(`tcp://127.0.0.1:${port ?? "*"}`);
  const subscribed = new Set<string>();
  return {
    port: Number(socket.lastEndpoint?.split(":").at(-1)),
    async joined(...topics) {
      while (!topics.every((topic) => subscribed.has(topic))) {
        const [told] = await socket.receive();
        if (told?.[0] === 1) subscribed.add(told.subarray(1).toString());
      }
    },
    send: (topic, body) => socket.send(`${topic} ${JSON.stringify(body)}`),
    sendRaw: (frame) => socket.send(frame),
    async stop() {
      zap?.close();
      if (socket.closed) return;
      const free = new Promise((resolve) => socket.events.on("close", resolve));
      socket.close();
      await free;
    },
  };
}
