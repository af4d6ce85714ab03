import { expectBalanced } from "@threatbus/testkit";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { Dealer } from "zeromq";
import { frameOf, indicator, OldApp, scale, stand, take } from "./stand.ts";

const runs = Math.round(2_000 * scale);
/** Frames between two valid ones. */
const group = 50;

const garbled = (valid: Buffer): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.nat(valid.length).map((end) => valid.subarray(0, end)),
    fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => {
      const copy = Buffer.from(valid);
      copy[at] = byte;
      return copy;
    }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc.tuple(fc.constantFrom("stix2/indicator", "stix2/sighting", "sigma/rule", "yara/rule", "threatbus/snapshotenvelope"), fc.json()).map(([topic, text]) => Buffer.from(`${topic} ${text}`)),
  );

it("answers every request, whatever it is", async () => {
  const { ports, host } = await stand({ max_subscriptions: 100_000, attach_timeout: 1 });
  const socket = new Dealer({ linger: 0, receiveTimeout: 60_000 });
  onTestFinished(() => socket.close());
  socket.connect(`tcp://127.0.0.1:${ports.manage}`);
  const requests = fc.oneof(
    garbled(Buffer.from('{"action":"subscribe","topic":"stix2/indicator","snapshot":0}')),
    garbled(Buffer.from(`{"action":"heartbeat","topic":"${"a".repeat(32)}"}`)),
    fc.record({ action: fc.constantFrom("unsubscribe", "heartbeat", "x", 1, null), topic: fc.anything() }, { requiredKeys: [] }).map((value) => Buffer.from(JSON.stringify(value) ?? "")),
  );
  await fc.assert(
    fc.asyncProperty(requests, async (request) => {
      await socket.send([Buffer.alloc(0), request]);
      const [, reply] = await socket.receive();
      const { status } = JSON.parse(String(reply)) as { status: string };
      expect(["success", "error", "unknown request"]).toContain(status);
    }),
    { numRuns: runs },
  );
  expect(await new OldApp(ports).subscribe("stix2/")).toHaveLength(32);
  expect(host.entries.filter(({ level }) => level === "error")).toEqual([]);
});

it("takes every valid message between garbled ones", async () => {
  const { bus, ports, host } = await stand();
  const app = new OldApp(ports);
  const channel = await app.subscribe("stix2/indicator");
  const socket = app.listen(channel);
  const valid = frameOf(1_000_000);
  let sent = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(garbled(valid), { minLength: group, maxLength: group }), async (frames) => {
      for (const frame of frames) await app.publish(frame);
      const marker = frameOf(++sent);
      await app.publish(marker);
      // What was garbled into another valid indicator may come too.
      let frame: string;
      do [frame = ""] = await take(socket, 1);
      while (!frame.endsWith(String(indicator(sent).payload)));
    }),
    { numRuns: Math.ceil(runs / group) },
  );
  expect(host.count("zmq_accepted")).toBeGreaterThanOrEqual(sent);
  expect(host.count("zmq_refused", { reason: "json" })).toBeGreaterThan(0);
  expectBalanced(bus.stats());
});
