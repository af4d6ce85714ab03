/** Our side of ZMTP 3.1, beside libzmq and beside peers that do what libzmq does not. What lets us in and what not is in misp.test.ts as well. */
import { Buffer } from "node:buffer";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Readable } from "node:stream";
import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { XPublisher } from "zeromq";
import { ZmtpFault, ZmtpRefusal } from "../src/zmtp/fault.ts";
import { Source } from "../src/zmtp/source.ts";
import { silentLogger, type Clock } from "@threatbus/core";
import { mispFeed } from "@threatbus/testkit";
import { options } from "../src/options.ts";
import { receive } from "../src/receive.ts";
import { Subscriber, type Subscription } from "../src/zmtp/subscriber.ts";
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

  test.each([
    ["a username and a password are wanted", { username: "misp", password: "s3cret" }, undefined, "it wants a username and a password"],
    ["none is wanted", undefined, { username: "misp", password: "s3cret" }, "it wants no username and no password"],
    ["others are wanted", { username: "misp", password: "s3cret" }, { username: "misp", password: "wrong" }, "it answered with the error \"400\""],
  ])("%s: that is what is told", async (_, secret, login, message) => {
    const feed = await mispFeed(secret && { secret });
    onTestFinished(() => feed.stop());
    const error = await subscribe(feed.port, { login }).end;
    expect(error).toBeInstanceOf(ZmtpRefusal);
    expect(error).toMatchObject({ message });
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
    ["a property that ends beyond its command", [greeting("NULL"), command("READY", Buffer.from("\x0bSocket-Type\xff\xff\xff\xffPUB", "latin1"))], {}, true, /something unnamed/],
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
      command("PING", "\0\0"),
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

  /** Beats one after the other, each when what came before is read. */
  async function beats(number: number): Promise<void> {
    for (let n = 0; n < number; n++) {
      vi.advanceTimersByTime(5_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** One that answers so many heartbeats. */
  async function answering(number: number): Promise<Subscribed & { readonly other: Socket; readonly asked: () => number }> {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { port, heard, socket } = await peer(...letIn);
    const subscribed = subscribe(port);
    const other = await socket;
    let answered = 0;
    other.on("data", () => {
      for (; answered < Math.min(number, pings(heard())); answered++) other.write(command("PONG"));
    });
    await subscribed.in;
    const whole = Buffer.concat(letIn).length;
    for (let asked = 1; asked <= number; asked++) {
      await expect.poll(() => subscribed.socket.bytesRead).toBe(whole + asked * command("PONG").length);
      // Something came; nothing came, so that it is asked.
      await beats(2);
    }
    await expect.poll(() => pings(heard())).toBe(number + 1);
    return { ...subscribed, other, asked: () => pings(heard()) };
  }

  test("a peer that is silent is asked for a sign of life, and left when it gives none any more", async () => {
    const { end, asked } = await answering(1);
    await beats(1);
    expect(await end).toMatchObject({ message: expect.stringContaining("not even an answer to a heartbeat") as string });
    expect(asked()).toBe(2);
  });

  test("one that answers is not left", async () => {
    const { end, other, messages } = await answering(5);
    other.end(frame("misp"));
    expect(await end).toMatchObject({ message: "the peer closed the connection" });
    expect(messages).toEqual(["misp"]);
  });

  test("nor is one that never did: libzmq before 4.2 knows no heartbeats", async () => {
    const { end, other, messages } = await answering(0);
    await beats(100);
    other.end(frame("misp"));
    expect(await end).toMatchObject({ message: "the peer closed the connection" });
    expect(messages).toEqual(["misp"]);
  });

  test("one that asks on and on and reads no answer is left", async () => {
    const { port, socket } = await peer(...letIn);
    const { end } = subscribe(port);
    const other = await socket;
    other.pause();
    const many = Buffer.concat(Array<Buffer>(10_000).fill(command("PING", "\0\0", "x".repeat(16))));
    const flood = (): void => void other.write(many, (error) => error ?? flood());
    flood();
    expect(await end).toMatchObject({ message: "it asks on and on and reads no answer" });
  });

  /** The first message is held until `free`. */
  function holding(port: number): Subscribed & { readonly taken: number[]; readonly free: () => void } {
    const taken: number[] = [];
    let free = (): void => undefined;
    const busy = new Promise<void>((resolve) => (free = resolve));
    return { ...subscribe(port, { take: (message) => (taken.push(Number(Buffer.from(message).toString("latin1", 0, 10))) === 1 ? busy : undefined) }), taken, free };
  }
  const numbered = (count: number, bytes: number): Buffer => Buffer.concat(Array.from({ length: count }, (_, n) => frame(String(n).padStart(10, "0").padEnd(bytes))));
  const all = (count: number): number[] => [...Array(count).keys()];

  test("as long as we are busy, nobody is asked or left, and what came meanwhile is not lost, though the peer has gone", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const { port, heard, socket } = await peer(...letIn);
    const { taken, free, end } = holding(port);
    (await socket).end(numbered(5_000, 200));
    await expect.poll(() => taken.length).toBe(1);
    await beats(20);
    free();
    expect(await end).toMatchObject({ message: "the peer closed the connection" });
    expect(taken).toEqual(all(5_000));
    expect(pings(heard())).toBe(1);
  });

  test("what was read before the peer broke the connection is not lost", async () => {
    const { port, socket } = await peer(...letIn);
    const { taken, free, end, socket: own } = holding(port);
    const other = await socket;
    const bytes = numbered(100, 100);
    other.write(bytes);
    await expect.poll(() => own.bytesRead).toBe(Buffer.concat(letIn).length + bytes.length);
    other.resetAndDestroy();
    await expect.poll(() => own.destroyed).toBe(true);
    free();
    expect(await end).toMatchObject({ code: "ECONNRESET" });
    expect(taken).toEqual(all(100));
  });

  test("what this side has ended is not gone on with", async () => {
    const { port, socket } = await peer(...letIn);
    const { taken, free, end, socket: own } = holding(port);
    const bytes = numbered(1_000, 1_000);
    (await socket).write(bytes);
    await expect.poll(() => own.bytesRead).toBe(Buffer.concat(letIn).length + bytes.length);
    own.destroy();
    await expect.poll(() => own.closed).toBe(true);
    free();
    expect(await end).toMatchObject({ message: "the connection is closed" });
    // Of one chunk.
    expect(taken.length).toBeLessThan(100);
  });

  test("32 MiB are read ahead, for a publisher keeps little, and not more", async () => {
    const { port, socket } = await peer(...letIn);
    const { taken, free, end, socket: own } = holding(port);
    const [count, size, mebibyte] = [100_000, 700, 1024 * 1024];
    (await socket).end(numbered(count, size));
    await expect.poll(() => own.bytesRead).toBeGreaterThan(30 * mebibyte);
    await expect.poll(() => own.isPaused()).toBe(true);
    expect(own.bytesRead).toBeLessThan(34 * mebibyte);
    free();
    expect(await end).toMatchObject({ message: "the peer closed the connection" });
    expect(taken).toEqual(all(count));
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

test("one that lets us in only to leave is tried less and less often", async () => {
  const server = createServer((socket) => void socket.on("error", () => undefined).end(Buffer.concat([greeting("NULL"), ready()]))).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once("listening", resolve));
  const stop = new AbortController();
  const waits: number[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: async (ms) => {
      if (waits.push(ms) === 8) stop.abort();
    },
  };
  const { zmq } = options.parse({ zmq: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } });
  let connected = 0;
  await receive(zmq as NonNullable<typeof zmq>, { logger: silentLogger, clock, signal: stop.signal }, () => undefined, (state) => state === "connected" && connected++);
  expect(connected).toBe(8);
  expect(waits.at(-1)).toBeGreaterThanOrEqual(2_500);
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
