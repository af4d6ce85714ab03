import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chaosProxy, type ChaosProxy, type Toxic } from "../src/index.ts";
import { client, echoServer, type Client, type Echo } from "./echo.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
let echo: Echo;
let proxy: ChaosProxy;
const clients: Client[] = [];

beforeEach(async () => {
  echo = await echoServer();
  proxy = await chaosProxy({ target: echo, seed: 7 });
});
afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await proxy.stop();
  await echo.stop();
});

async function join(port: number = proxy.port): Promise<Client> {
  const joined = await client(port);
  clients.push(joined);
  return joined;
}
const arrived = (from: Client, bytes: number): Promise<void> => expect.poll(() => from.bytes().length).toBe(bytes);
const ended = (of: Client): ReturnType<typeof expect.poll> => expect.poll(() => of.outcome());

describe("a proxy without toxics", () => {
  it("passes a megabyte there and back unchanged, and the end of the stream", async () => {
    const sent = randomBytes(1024 * 1024);
    const joined = await join();
    joined.socket.end(sent);
    await ended(joined).toBe("end");
    expect(joined.bytes().equals(sent)).toBe(true);
    await expect.poll(() => proxy.connections).toBe(0);
    expect(proxy.accepted).toBe(1);
  });

  it("counts open connections", async () => {
    const joined = [await join(), await join(), await join()];
    await expect.poll(() => proxy.connections).toBe(3);
    joined[0]?.socket.destroy();
    await expect.poll(() => proxy.connections).toBe(2);
  });

  it("resets clients while its target is away", async () => {
    await echo.stop();
    await ended(await join()).toBe("ECONNRESET");
  });
});

describe("toxics", () => {
  it("latency holds bytes back in both directions and lets go when removed", async () => {
    const remove = proxy.add({ type: "latency", latency: 60, jitter: 20 });
    const joined = await join();
    const start = performance.now();
    joined.socket.write("ping");
    await arrived(joined, 4);
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
    proxy.add({ type: "latency", latency: 3_600_000 }, "up");
    joined.socket.write("held");
    await expect.poll(() => echo.sockets.size).toBe(1);
    remove();
    proxy.clear();
    await arrived(joined, 8);
  });

  it("latency keeps order in spite of jitter", async () => {
    proxy.add({ type: "latency", latency: 20, jitter: 20 });
    const joined = await join();
    const lines = Array.from({ length: 200 }, (_, n) => `${n}\n`);
    for (const line of lines) {
      joined.socket.write(line);
      await new Promise(setImmediate);
    }
    await arrived(joined, lines.join("").length);
    expect(joined.bytes().toString()).toBe(lines.join(""));
  });

  it("bandwidth stretches a transfer", async () => {
    proxy.add({ type: "bandwidth", rate: 200 }, "down");
    const joined = await join();
    const start = performance.now();
    joined.socket.write(randomBytes(60_000));
    await arrived(joined, 60_000);
    expect(performance.now() - start).toBeGreaterThanOrEqual(190);
  });

  it("slicer cuts the stream without changing it", async () => {
    proxy.add({ type: "slicer", averageSize: 10, delay: 1 }, "down");
    const joined = await join();
    const sent = randomBytes(400);
    joined.socket.write(sent);
    await arrived(joined, 400);
    expect(joined.received.length).toBeGreaterThan(10);
    expect(joined.bytes().equals(sent)).toBe(true);
  });

  it("limitData closes after exactly that many bytes", async () => {
    proxy.add({ type: "limitData", bytes: 1000 }, "down");
    const joined = await join();
    joined.socket.write(randomBytes(5000));
    await ended(joined).toMatch(/end|ECONNRESET/);
    expect(joined.bytes().length).toBe(1000);
    await expect.poll(() => echo.sockets.size).toBe(0);
  });

  it("timeout 0 swallows bytes and keeps the connection until removed", async () => {
    const remove = proxy.add({ type: "timeout", timeout: 0 }, "up");
    const [patient, leaving] = [await join(), await join()];
    leaving.socket.end("lost");
    await ended(leaving).toBe("end");
    expect(leaving.bytes().length).toBe(0);
    remove();
    patient.socket.write("seen");
    await arrived(patient, 4);
  });

  it("timeout closes the connection when its time is over", async () => {
    const joined = await join();
    proxy.add({ type: "timeout", timeout: 30 });
    joined.socket.write("lost");
    await ended(joined).toBe("end");
    expect(joined.bytes().length).toBe(0);
    await expect.poll(() => echo.sockets.size).toBe(0);
  });

  it("resetPeer resets open connections and new ones", async () => {
    const before = await join();
    proxy.add({ type: "resetPeer" });
    await ended(before).toBe("ECONNRESET");
    await ended(await join()).toBe("ECONNRESET");
    await expect.poll(() => [proxy.connections, echo.sockets.size]).toEqual([0, 0]);
  });

  it("slowClose passes bytes at once and the end late", async () => {
    proxy.add({ type: "slowClose", delay: 80 }, "up");
    const joined = await join();
    const start = performance.now();
    joined.socket.end("bye");
    await arrived(joined, 3);
    await ended(joined).toBe("end");
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
  });

  it("corrupt changes the same bytes for the same seed, others for another", async () => {
    const sent = Buffer.alloc(20_000);
    const run = async (seed: number): Promise<string> => {
      const corrupting = await chaosProxy({ target: echo, seed });
      corrupting.add({ type: "corrupt", probability: 0.01 }, "down");
      const joined = await join(corrupting.port);
      joined.socket.write(sent);
      await arrived(joined, sent.length);
      await corrupting.stop();
      return joined.bytes().toString("hex");
    };
    const [first, again, other] = [await run(3), await run(3), await run(4)];
    const flips = Buffer.from(first, "hex").filter((byte) => byte !== 0).length;
    expect(flips).toBeGreaterThan(100);
    expect(flips).toBeLessThan(400);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it("halfOpen keeps both sides and says nothing, even of an end, until removed", async () => {
    const joined = await join();
    joined.socket.write("one");
    await arrived(joined, 3);
    const remove = proxy.add({ type: "halfOpen" });
    joined.socket.end("two");
    const [atServer] = echo.sockets;
    atServer?.write("three");
    const other = await join();
    other.socket.write("x");
    await expect.poll(() => proxy.connections).toBe(2);
    expect(joined.bytes().toString()).toBe("one");
    expect(atServer?.readableEnded).toBe(false);
    remove();
    await ended(joined).toBe("end");
    expect(joined.bytes().toString()).toBe("onethreetwo");
  });

  it("any mixture of harmless toxics leaves the bytes as they are", async () => {
    const harmless = fc.oneof(
      fc.record({ type: fc.constant("latency" as const), latency: fc.nat(5), jitter: fc.nat(5) }),
      fc.record({ type: fc.constant("bandwidth" as const), rate: fc.integer({ min: 5_000, max: 50_000 }) }),
      fc.record({ type: fc.constant("slicer" as const), averageSize: fc.integer({ min: 100, max: 50_000 }), delay: fc.nat(1) }),
      fc.record({ type: fc.constant("slowClose" as const), delay: fc.nat(5) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(harmless, { maxLength: 4 }), fc.uint8Array({ minLength: 1, maxLength: 20_000 }), async (toxics: Toxic[], sent) => {
        const removals = toxics.map((toxic, n) => proxy.add(toxic, n % 2 === 0 ? "both" : "up"));
        const joined = await join();
        joined.socket.end(sent);
        removals[0]?.();
        await ended(joined).toBe("end");
        expect(joined.bytes().equals(sent)).toBe(true);
        proxy.clear();
      }),
      { numRuns: 25 * scale },
    );
  });
});

describe("down, up and stop", () => {
  it("down resets and refuses, up serves again on the same port", async () => {
    const before = await join();
    await proxy.down();
    await proxy.down();
    await ended(before).toBe("ECONNRESET");
    await expect(client(proxy.port)).rejects.toThrow("ECONNREFUSED");
    await proxy.up();
    await proxy.up();
    const after = await join();
    after.socket.write("again");
    await arrived(after, 5);
  });

  it("stop frees every handle, whatever is held back", async () => {
    proxy.add({ type: "latency", latency: 3_600_000 });
    proxy.add({ type: "resetPeer", timeout: 3_600_000 });
    const joined = await join();
    joined.socket.write("held");
    await expect.poll(() => echo.sockets.size).toBe(1);
    await proxy.stop();
    await proxy.stop();
    await ended(joined).toMatch(/end|ECONNRESET/);
    expect(proxy.connections).toBe(0);
    await expect(client(proxy.port)).rejects.toThrow("ECONNREFUSED");
  });
});
