import { describe, expect, it } from "vitest";
import type { Indicator } from "stix2-ts-types";
import { createBus, message, silentLogger } from "../src/index.ts";
import type { Message, SnapshotEnvelope, SnapshotRequest } from "../src/index.ts";
import { app, frame, gate, indicator, loop, sighting } from "./samples.ts";

const quiet = { logger: silentLogger };

function historian(name: string, objects: readonly Indicator[], requests: SnapshotRequest[] = []) {
  return app(name, {
    async *snapshot(request) {
      requests.push(request);
      if (request.snapshot_type === 1) yield* objects;
    },
  });
}

async function running(...apps: ReturnType<typeof app>[]) {
  const backbone = loop();
  const bus = createBus({ backbones: [backbone.plugin], apps, ...quiet });
  await bus.start();
  return { bus, backbone };
}

const idOf = (m: Message): string => (m.body as { id: string }).id;

describe("a snapshot", () => {
  it("asks every app once per matching type and delivers the objects as ordinary messages", async () => {
    const history = Array.from({ length: 500 }, () => indicator());
    const requests: SnapshotRequest[] = [];
    const { bus } = await running(historian("a", history, requests), app("no-history", {}));
    const got: Message[] = [];
    const subscription = await bus.subscribe("stix2/", (m) => void got.push(m), { snapshot: 3600 });
    expect(subscription.snapshots.size).toBe(2);
    await expect.poll(() => got.map(idOf)).toEqual(history.map(({ id }) => id));
    expect(got[0]?.topic).toBe("stix2/indicator");
    expect(requests.map(({ snapshot_type, snapshot }) => [snapshot_type, snapshot])).toEqual([[1, 3600], [2, 3600]]);
    expect(bus.stats().snapshots).toMatchObject({ asked: 2, open: 2, begun: 2, answered: 2, failed: 0, sent: 500, arrived: 500 });
    await bus.stop();
  });

  it("asks only for what the topics cover", async () => {
    const requests: SnapshotRequest[] = [];
    const { bus } = await running(historian("a", [], requests));
    await bus.subscribe("stix2/sighting", () => undefined, { snapshot: 60 });
    await bus.subscribe("sigma/", () => undefined, { snapshot: 60 });
    await expect.poll(() => requests.map(({ snapshot_type }) => snapshot_type)).toEqual([2]);
    await bus.stop();
  });

  it("reaches only who asked; envelopes with unknown ids are ignored and counted", async () => {
    const { bus, backbone } = await running(historian("a", [indicator()]));
    let others = 0, mine = 0;
    await bus.subscribe("", () => void others++);
    await bus.subscribe("", () => void mine++, { snapshot: 60 });
    await expect.poll(() => mine).toBe(1);
    const stray: SnapshotEnvelope = { type: "snapshotenvelope", snapshot_type: 1, snapshot_id: "nobody", body: indicator() };
    await backbone.deliver(frame(stray, "", "threatbus/snapshotenvelope"));
    expect(others).toBe(0);
    expect(bus.stats().snapshots.ignored).toBe(1);
    await bus.stop();
  });

  it("delivers each object once, though it comes live, from two apps and again", async () => {
    const shared = indicator();
    const { bus } = await running(historian("a", [shared]), historian("b", [shared, shared]));
    const got: string[] = [];
    const subscription = await bus.subscribe("stix2/indicator", (m) => void got.push(idOf(m)), { snapshot: 60 });
    await bus.publish(message(shared));
    await expect.poll(() => bus.stats().snapshots.answered).toBe(2);
    await expect.poll(() => subscription.stats.waiting).toBe(0);
    expect(got).toEqual([shared.id]);
    expect(subscription.stats.repeated).toBe(3);
    await bus.stop();
  });

  it("never brings back what was removed meanwhile, nor an older version", async () => {
    const { opened, open } = gate();
    const [gone, changed] = [indicator(), indicator()];
    const slow = app("slow", {
      async *snapshot(request) {
        await opened;
        if (request.snapshot_type === 1) yield* [gone, changed];
      },
    });
    const { bus } = await running(slow);
    const got: Message[] = [];
    await bus.subscribe("stix2/indicator", (m) => void got.push(m), { snapshot: 60 });
    await bus.publish(message({ ...gone, x_threatbus_update: "REMOVE" } as Indicator));
    await bus.publish(message({ ...changed, modified: "2024-06-01T00:00:00Z", x_threatbus_update: "EDIT" } as Indicator));
    open();
    await expect.poll(() => bus.stats().snapshots.answered).toBe(1);
    expect(got.map((m) => (m.body as Record<string, unknown>)["x_threatbus_update"])).toEqual(["REMOVE", "EDIT"]);
    await bus.stop();
  });

  it("an app's error ends its part, not the snapshot", async () => {
    const failing = app("failing", {
      async *snapshot() {
        yield indicator();
        throw new Error("lost the database");
      },
    });
    const { bus } = await running(failing, historian("good", [indicator()]));
    let got = 0;
    await bus.subscribe("stix2/indicator", () => void got++, { snapshot: 60 });
    await expect.poll(() => got).toBe(2);
    await expect.poll(() => bus.stats().snapshots).toMatchObject({ answered: 1, failed: 1 });
    await bus.stop();
  });

  it("is pulled no faster than the asker takes it, and ends with the subscription", async () => {
    let pulled = 0, ended = false;
    const endless = app("endless", {
      async *snapshot(request, signal) {
        try {
          while (!signal.aborted && request.snapshot_type === 1) {
            pulled++;
            yield indicator();
            await new Promise((resolve) => setImmediate(resolve));
          }
        } finally {
          if (request.snapshot_type === 1) ended = true;
        }
      },
    });
    const { bus } = await running(endless);
    const { opened, open } = gate();
    const subscription = await bus.subscribe("stix2/", () => opened, { snapshot: 60, queue: { maxItems: 10, maxBytes: 4_000 } });
    await expect.poll(() => subscription.stats.waitingBytes).toBeGreaterThan(1_900);
    for (let n = 0; n < 50; n++) await new Promise((resolve) => setImmediate(resolve));
    expect(pulled).toBeLessThan(30);
    void subscription.close();
    await expect.poll(() => ended).toBe(true);
    expect(bus.stats().snapshots.open).toBe(0);
    open();
    await bus.stop();
  });

  it("is told apart by who asked: the ids are the subscription's before the requests go out", async () => {
    const asked: boolean[] = [];
    const { bus } = await running();
    const holder: { ids?: ReadonlySet<string> } = {};
    await bus.subscribe("threatbus/snapshotrequest", (m) => void asked.push(holder.ids?.has((m.body as SnapshotRequest).snapshot_id) ?? false));
    holder.ids = (await bus.subscribe("stix2/", () => undefined, { snapshot: 60 })).snapshots;
    await expect.poll(() => asked).toEqual([true, true]);
    await bus.stop();
  });

  it("of another host's asker is answered through the backbone", async () => {
    const { bus, backbone } = await running(historian("a", [indicator()]));
    const envelopes: Message[] = [];
    await bus.subscribe("threatbus/snapshotenvelope", (m) => void envelopes.push(m));
    await backbone.deliver(frame({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: "theirs", snapshot: 60 }, "x", "threatbus/snapshotrequest"));
    await expect.poll(() => envelopes.map((m) => (m.body as SnapshotEnvelope).snapshot_id)).toEqual(["theirs"]);
    await bus.stop();
  });

  it("objects of the wrong type are the app's failure", async () => {
    const confused = app("confused", { async *snapshot() { yield sighting(indicator()); } });
    const { bus } = await running(confused);
    await bus.subscribe("stix2/indicator", () => undefined, { snapshot: 60 });
    await expect.poll(() => bus.stats().snapshots.failed).toBe(1);
    await bus.stop();
  });

  it("asks apps only once all have started", async () => {
    const order: string[] = [];
    const { opened, open } = gate();
    const asker = app("asker", {
      async start(bus) {
        await bus.subscribe("stix2/indicator", () => void order.push("object"), { snapshot: 60 });
        setImmediate(() => setImmediate(open));
      },
    });
    const late = app("late", {
      start: () => opened.then(() => void order.push("started")),
      async *snapshot() {
        order.push("asked");
        yield indicator();
      },
    });
    const { bus } = await running(asker, late);
    await expect.poll(() => order).toEqual(["started", "asked", "object"]);
    await bus.stop();
  });

  it("tells versions apart to the last decimal, and knows one written in two ways", async () => {
    const first = indicator("198.51.100.1", { modified: "2024-05-01T12:00:00.1234Z" });
    const history = [{ ...first, modified: "2024-05-01T12:00:00.123400Z" as const }, { ...first, modified: "2024-05-01T12:00:00.1235Z" as const }, { ...first, modified: "2024-05-01T12:00:00Z" as const }];
    const { bus } = await running(historian("a", [first, ...history]));
    const got: unknown[] = [];
    const subscription = await bus.subscribe("stix2/indicator", (m) => void got.push((m.body as Indicator).modified), { snapshot: 60 });
    await expect.poll(() => subscription.stats.repeated).toBe(2);
    expect(got).toEqual(["2024-05-01T12:00:00.1234Z", "2024-05-01T12:00:00.1235Z"]);
    await bus.stop();
  });
});
