import { expect, test } from "vitest";
import { busWith, codeOf, join } from "./joined.ts";

test("what the bus would cut the connection for is not sent", async () => {
  const bus = await busWith();
  const client = await join(bus, { maxPublishSize: 100 });
  await expect(client.publish({ topic: "stix2/indicator", payload: "x".repeat(101) })).rejects.toThrow(RangeError);
});

test("a program that only publishes loses nothing from the first message on", async () => {
  const bus = await busWith();
  const client = await join(bus);
  const object = (n: number): { type: "x-test"; id: `x-test--${number}` } => ({ type: "x-test", id: `x-test--${n}` });
  await Promise.all(Array.from({ length: 2_000 }, (_, n) => client.publish(object(n))));
  await expect.poll(() => bus.taken.length).toBe(2_000);
  expect(bus.taken.every((frame, n) => frame === `stix2/x-test ${JSON.stringify(object(n))}`)).toBe(true);
  expect(bus.actions("subscribe")).toHaveLength(1);
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test("a topic the bus does not take is refused, others go on", async () => {
  const bus = await busWith({ takes: ["stix2/"] });
  const client = await join(bus);
  const rules = Array.from({ length: 20 }, () => codeOf(client.publish({ topic: "yara/rule", payload: "rule x { condition: true }" })));
  expect(new Set(await Promise.all(rules))).toEqual(new Set(["REQUEST_REFUSED"]));
  await client.publish({ topic: "stix2/indicator", payload: "{}" });
  await expect.poll(() => bus.taken).toEqual(["stix2/indicator {}"]);
});

test("a bus that does not read makes publishing wait, and gets everything", async () => {
  const bus = await busWith({ receiveHighWaterMark: 10 });
  bus.reading = false;
  const client = await join(bus);
  const payload = "x".repeat(20_000);
  const total = 3_000;
  let handed = 0;
  const all = Promise.all(Array.from({ length: total }, () => client.publish({ topic: "stix2/indicator", payload }).then(() => handed++)));
  await expect.poll(() => handed).toBeGreaterThan(100);
  // What the queue and the network hold is bounded; the rest waits here.
  let last = -1;
  await expect.poll(() => last === (last = handed)).toBe(true);
  expect(handed).toBeLessThan(total);
  bus.reading = true;
  await all;
  await expect.poll(() => bus.taken.length).toBe(total);
});

test("publishing to a bus that never reads ends with its time", async () => {
  const bus = await busWith({ receiveHighWaterMark: 10 });
  bus.reading = false;
  const client = await join(bus, { publishTimeout: 3_000, linger: 0 });
  const payload = "x".repeat(20_000);
  const codes = await Promise.all(Array.from({ length: 3_000 }, () => codeOf(client.publish({ topic: "stix2/indicator", payload }))));
  expect(new Set(codes)).toEqual(new Set(["no error", "REQUEST_TIMEOUT"]));
});

test("publishing waits for a bus that restarts", async () => {
  const before = await busWith();
  const client = await join(before);
  await client.publish({ topic: "stix2/indicator", payload: "1" });
  await expect.poll(() => before.taken).toEqual(["stix2/indicator 1"]);
  const { ports } = before;
  before.kill();
  const after = await busWith({ ports });
  await client.publish({ topic: "stix2/indicator", payload: "2" });
  await expect.poll(() => after.taken).toEqual(["stix2/indicator 2"]);
});

test("snapshot requests are answered with envelopes, each once", async () => {
  const bus = await busWith();
  const client = await join(bus);
  const responder = await client.onSnapshotRequest(async function* ({ snapshot_type, snapshot }) {
    if (snapshot_type !== 2) return;
    for (let n = 0; n < 3; n++) yield { type: "sighting", id: `sighting--${n}`, snapshot } as never;
  });
  await expect.poll(() => bus.attached.has(bus.channel)).toBe(true);
  const request = (snapshot_type: number, snapshot_id: string): string =>
    JSON.stringify({ type: "snapshotrequest", snapshot_type, snapshot_id, snapshot: 60 });
  const envelope = { type: "snapshotenvelope", snapshot_type: 2, snapshot_id: "a" };
  await bus.send("snapshotrequest", request(1, "a"));
  await bus.send("snapshotrequest", request(2, "a"));
  await bus.send("snapshotrequest", request(2, "a"));
  await bus.send("snapshotrequest", '{"type":"snapshotrequest","snapshot_type":"x"}');
  await bus.send("snapshotrequest", request(2, "b"));
  await expect.poll(() => bus.taken.length).toBe(6);
  expect(bus.taken.filter((frame) => frame.includes('"snapshot_id":"a"'))).toEqual(
    [0, 1, 2].map((n) => {
      const body = { type: "sighting", id: `sighting--${n}`, snapshot: 60 };
      return `threatbus/snapshotenvelope ${JSON.stringify({ ...envelope, body })}`;
    }),
  );
  await responder.close();
  expect(bus.actions("unsubscribe").length).toBeGreaterThanOrEqual(1);
});

test("an answer that throws ends alone; closing gives the signal", async () => {
  const bus = await busWith();
  const client = await join(bus);
  let aborted = false;
  const responder = await client.onSnapshotRequest(async function* ({ snapshot_id }, signal) {
    yield { type: "sighting", id: snapshot_id } as never;
    if (snapshot_id === "bad") throw new Error("the store is away");
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    aborted = true;
  });
  await expect.poll(() => bus.attached.has(bus.channel)).toBe(true);
  for (const snapshot_id of ["bad", "good"]) {
    await bus.send("snapshotrequest", JSON.stringify({ type: "snapshotrequest", snapshot_type: 1, snapshot_id, snapshot: 1 }));
  }
  await expect.poll(() => bus.taken.length).toBe(2);
  expect(aborted).toBe(false);
  await responder.close();
  await expect.poll(() => aborted).toBe(true);
});
