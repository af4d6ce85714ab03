/** Our side of ZMTP 3.1, beside libzmq and beside peers that do what libzmq does not. What lets us in and what not is in misp.test.ts as well. */
import { Buffer } from "node:buffer";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { XPublisher } from "zeromq";
import { Source, ZmtpFault } from "../src/zmtp/source.ts";
import { Subscriber, ZmtpRefusal, type Subscription } from "../src/zmtp/subscribe.ts";
import { scaled } from "./sample.ts";

afterEach(() => void vi.useRealTimers());

function frame(body: Buffer | string, flags = 0): Buffer {
  const bytes = Buffer.from(body);
  if (bytes.length < 256) return Buffer.concat([Buffer.from([flags, bytes.length]), bytes]);
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(bytes.length));
  return Buffer.concat([Buffer.from([flags | 2]), size, bytes]);
}

function command(name: string, ...data: (Buffer | string)[]): Buffer {
  return frame(Buffer.concat([Buffer.from([name.length]), Buffer.from(name), ...data.map((part) => Buffer.from(part))]), 4);
}

function greeting(mechanism: string, major = 3): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, major, 1]);
  bytes.write(mechanism, 12);
  return bytes;
}

const property = (name: string, value: string): Buffer => Buffer.concat([Buffer.from([name.length]), Buffer.from(name), Buffer.from([0, 0, 0, value.length]), Buffer.from(value)]);
const ready = (type = "PUB"): Buffer => command("READY", property("Identity", ""), property("Socket-Type", type));

interface Peer {
  readonly port: number;
  /** The one connection. */
  readonly socket: Promise<Socket>;
  /** What came through it. */
  readonly heard: () => Buffer;
}

/** Says this to whoever connects. */
async function peer(...says: Buffer[]): Promise<Peer> {
  const chunks: Buffer[] = [];
  let connected: (socket: Socket) => void = () => undefined;
  const socket = new Promise<Socket>((resolve) => (connected = resolve));
  const server = createServer((socket) => {
    socket.on("error", () => undefined).on("data", (chunk) => chunks.push(chunk));
    socket.write(Buffer.concat(says));
    connected(socket);
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  return { port: (server.address() as AddressInfo).port, socket, heard: () => Buffer.concat(chunks) };
}

interface Subscribed {
  readonly socket: Socket;
  readonly messages: string[];
  /** Resolves when the peer has let us in, or with why not. */
  readonly in: Promise<unknown>;
  readonly end: Promise<Error>;
}

function subscribe(port: number, more: Partial<Subscription> = {}): Subscribed {
  const socket = connect({ host: "127.0.0.1", port });
  onTestFinished(() => void socket.destroy());
  const messages: string[] = [];
  let onReady = (): void => undefined;
  const stands = new Promise<void>((resolve) => (onReady = resolve));
  const end = new Subscriber(socket, {
    prefixes: ["misp"], maxBytes: 1_000_000, beat: 5_000, onReady,
    take: (message) => void messages.push(Buffer.from(message).toString("latin1")),
    ...more,
  }).run().catch((thrown: unknown) => thrown as Error);
  return { socket, messages, in: Promise.race([stands, end]), end };
}

describe("beside libzmq", () => {
  async function publisher(): Promise<{ socket: XPublisher; port: number; joined: () => Promise<void> }> {
    const socket = new XPublisher({ linger: 0, sendHighWaterMark: 100_000 });
    onTestFinished(() => socket.close());
    await socket.bind("tcp://127.0.0.1:*");
    return {
      socket,
      port: Number(socket.lastEndpoint?.split(":").at(-1)),
      joined: async () => expect((await socket.receive())[0]?.toString()).toBe("\x01misp"),
    };
  }

  test("messages of every length come whole and in order, and no others", async () => {
    const { socket, port, joined } = await publisher();
    const { messages } = subscribe(port);
    await joined();
    const lengths = [...Array(2_000).keys(), 65_535, 65_536, 65_537, 300_000, 1, 999_000, 2];
    const sent = lengths.map((length) => `misp${String.fromCharCode(97 + (length % 26)).repeat(length)}`);
    for (const text of sent) {
      await socket.send(`other${text}`);
      await socket.send(text);
    }
    await expect.poll(() => messages.length).toBe(sent.length);
    expect(messages.every((text, n) => text === sent[n])).toBe(true);
  });

  test("each part of a message is one", async () => {
    const { socket, port, joined } = await publisher();
    const { messages } = subscribe(port);
    await joined();
    await socket.send(["misp one", "", "two"]);
    await expect.poll(() => messages).toEqual(["misp one", "", "two"]);
  });

  test("one that is too large ends the connection", async () => {
    const { socket, port, joined } = await publisher();
    const { messages, end } = subscribe(port, { maxBytes: 1_000 });
    await joined();
    await socket.send(`misp${"a".repeat(996)}`);
    await socket.send(`misp${"a".repeat(997)}`);
    expect(await end).toMatchObject({ message: "a frame of 1001 bytes: at most 1000 are taken" });
    expect(messages).toHaveLength(1);
  });
});

describe("who does not let us in, or is no publisher, is left with a reason", () => {
  const login = { username: "misp", password: "s3cret" };
  test.each<[what: string, says: Buffer[], more: Partial<Subscription>, refusal: boolean, reason: RegExp]>([
    ["a web server", [Buffer.from("HTTP/1.1 400 Bad Request\r\n".repeat(4))], {}, false, /does not speak ZeroMQ/],
    ["ZeroMQ 2", [greeting("NULL", 1)], {}, false, /before 4\.0/],
    ["a password is wanted", [greeting("PLAIN")], {}, true, /wants a username and a password/],
    ["no password is wanted", [greeting("NULL")], { login }, true, /wants no username/],
    ["keys are wanted", [greeting("CURVE")], { login }, true, /asks for "CURVE"/],
    ["the password is wrong", [greeting("PLAIN"), command("ERROR", "\x03400")], { login }, true, /error "400"/],
    ["an error fit to forge a log", [greeting("NULL"), command("ERROR", "\x07a\nb\x1b[2J")], {}, true, /error "a\\nb\\u001b\[2J"/],
    ["no publisher", [greeting("NULL"), ready("REP")], {}, true, /no publisher but "REP"/],
    ["nothing is said about the socket", [greeting("NULL"), command("READY")], {}, true, /something unnamed/],
    ["properties that end beyond their command", [greeting("NULL"), command("READY", "\x0bSocket-Type\xff\xff\xff\xffPUB")], {}, true, /something unnamed|no publisher/],
    ["another command", [greeting("PLAIN"), ready()], { login }, true, /did not answer with WELCOME/],
    ["a message in the handshake", [greeting("NULL"), frame("\x05READY")], {}, true, /did not answer with READY/],
    ["no frame in the handshake", [greeting("NULL"), Buffer.from([0xff, 0])], {}, true, /no frame of ZMTP 3/],
  ])("%s", async (_, says, more, refusal, reason) => {
    const { port } = await peer(...says);
    const { end, messages } = subscribe(port, more);
    const error = await end;
    expect(error.message).toMatch(reason);
    expect(error).toBeInstanceOf(refusal ? ZmtpRefusal : ZmtpFault);
    expect(error instanceof ZmtpRefusal).toBe(refusal);
    expect(messages).toEqual([]);
  });

  test.each([["after the greeting", true, [greeting("NULL")]], ["before it", false, []]] as const)("a peer that closes %s", async (_, refusal, says) => {
    const { port, socket } = await peer(...says);
    const { end } = subscribe(port);
    (await socket).end();
    const error = await end;
    expect(error.message).toBe("the peer closed the connection");
    expect(error instanceof ZmtpRefusal).toBe(refusal);
  });

  test("a peer that says nothing", async () => {
    const { port } = await peer();
    expect(await subscribe(port, { beat: 50 }).end).toMatchObject({ message: "the handshake took longer than 50 ms" });
  });
});

describe("after the handshake", () => {
  const letIn = [greeting("NULL"), ready()];

  test("our own side is what the protocol asks for", async () => {
    const { port, heard } = await peer(greeting("PLAIN"), command("WELCOME"), ready("XPUB"));
    await subscribe(port, { prefixes: ["a", "b".repeat(300)], login: { username: "né", password: "" } }).in;
    const expected = Buffer.concat([
      Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 1]), Buffer.from("PLAIN".padEnd(20, "\0")), Buffer.alloc(32),
      command("HELLO", Buffer.from([3]), "né", Buffer.from([0])), command("INITIATE", property("Socket-Type", "SUB")), frame("\x01a"), frame(`\x01${"b".repeat(300)}`),
    ]);
    await expect.poll(() => heard().toString("hex")).toBe(expected.toString("hex"));
  });

  test("a question for a sign of life is answered, and what we do not know is passed over", async () => {
    const { port, heard } = await peer(...letIn, command("JOIN", "x"), command("PING", "\x00\x0acontext"), command(""), frame("misp 1"));
    const { messages } = subscribe(port);
    await expect.poll(() => messages).toEqual(["misp 1"]);
    await expect.poll(() => heard().toString("latin1")).toContain(command("PONG", "context").toString("latin1"));
  });

  const pings = (heard: Buffer): number => heard.toString("latin1").split(command("PING", "\0\0").toString("latin1")).length - 1;

  test("a peer that is silent is asked for a sign of life, and left when it gives none", async () => {
    const { port, heard } = await peer(...letIn);
    const { end } = subscribe(port, { beat: 50 });
    expect(await end).toMatchObject({ message: expect.stringContaining("not even an answer to a heartbeat") as string });
    await expect.poll(() => pings(heard())).toBe(1);
  });

  test("one that answers is not", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { port, heard, socket } = await peer(...letIn);
    const subscribed = subscribe(port);
    const other = await socket;
    other.on("data", (chunk) => pings(chunk) > 0 && other.write(command("PONG")));
    await subscribed.in;
    for (let asked = 1; asked <= 5; asked++) {
      const before = subscribed.socket.bytesRead;
      // Something came; nothing came.
      vi.advanceTimersByTime(5_000);
      vi.advanceTimersByTime(5_000);
      await expect.poll(() => subscribed.socket.bytesRead).toBeGreaterThan(before);
      expect(pings(heard())).toBe(asked);
    }
    other.end(frame("misp"));
    expect(await subscribed.end).toMatchObject({ message: "the peer closed the connection" });
    expect(subscribed.messages).toEqual(["misp"]);
  });

  test("as long as we are busy, nobody is asked or left, and what came meanwhile is not lost, though the peer has gone", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const sent = Array.from({ length: 5_000 }, (_, n) => `misp ${n} ${"x".repeat(200)}`);
    const { port, heard, socket } = await peer(...letIn);
    const taken: string[] = [];
    let free = (): void => undefined;
    const busy = new Promise<void>((resolve) => (free = resolve));
    const subscribed = subscribe(port, {
      take(message) {
        taken.push(Buffer.from(message).toString());
        return taken.length === 1 ? busy : undefined;
      },
    });
    await subscribed.in;
    (await socket).end(Buffer.concat(sent.map((text) => frame(text))));
    await expect.poll(() => taken.length).toBe(1);
    vi.advanceTimersByTime(100_000);
    free();
    expect(await subscribed.end).toMatchObject({ message: "the peer closed the connection" });
    expect(taken).toEqual(sent);
    expect(pings(heard())).toBe(0);
  });

  test.each([
    ["a size beyond all numbers", Buffer.from([2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), /at most 1000000 are taken/],
    ["a size that nobody sends", Buffer.from([2, 0, 0, 0, 1, 0, 0, 0, 0]), /a frame of 4294967296 bytes/],
    ["flags that mean nothing", Buffer.from([8, 1, 1]), /no frame of ZMTP 3/],
  ])("%s ends the connection", async (_, bytes, reason) => {
    const { port } = await peer(...letIn, bytes);
    expect((await subscribe(port).end).message).toMatch(reason);
  });

  test("any bytes at all are messages or an end, and nothing else", async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.nat(140), async (bytes, cut) => {
      const stream = Buffer.concat([...letIn, Buffer.from(bytes)]);
      const { port, socket } = await peer(stream.subarray(0, cut), ...(cut % 2 === 0 ? [stream.subarray(cut)] : [Buffer.from(bytes)]));
      const { end } = subscribe(port);
      (await socket).end();
      expect(await end).toBeInstanceOf(ZmtpFault);
    }), { numRuns: scaled(100) });
  });
});

test("frames come out whole, however they were cut", async () => {
  const body = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.integer({ min: 250, max: 260 }).map((length) => Buffer.alloc(length, length)), fc.constant(Buffer.alloc(70_000, 7)));
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(body, fc.constantFrom(0, 1, 4)), { maxLength: 10 }), fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1 }), async (frames, cuts) => {
    const stream = Buffer.concat(frames.map(([bytes, flags]) => frame(Buffer.from(bytes), flags)));
    const chunks: Buffer[] = [];
    // Small cuts as often as large ones.
    for (let at = 0, n = 0; at < stream.length; n++) chunks.push(stream.subarray(at, (at += 1 + ((cuts[n % cuts.length] ?? 0) % (n % 2 === 0 ? 7 : 50_000)))));
    const source = new Source(Readable.from(chunks, { objectMode: true }), 100_000);
    const out: [string, boolean][] = [];
    const end = (async () => {
      for (;;) {
        for (let one = source.frame(); one !== undefined; one = source.frame()) out.push([one.body.toString("hex"), one.command]);
        await source.more();
      }
    })();
    await expect(end).rejects.toThrow("the peer closed the connection");
    expect(out).toEqual(frames.map(([bytes, flags]) => [Buffer.from(bytes).toString("hex"), flags === 4]));
  }), { numRuns: scaled(100) });
});
