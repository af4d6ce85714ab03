import { randomUUID } from "node:crypto";
import { isThreatbusError, type App, type SnapshotRequest } from "@threatbus/core";
import { expect, vi } from "vitest";
import { busWith, withApps, type AppStand, type OpenApp } from "./app-stand.ts";
import { patienceOf, type AppSubject, type AppTest } from "./app-subject.ts";
import { expectBalanced } from "./balance.ts";
import { expectFreed, resourcesInUse, type Resources } from "./resources.ts";
import { samples } from "./samples.ts";
import { eventually, within, type Tests } from "./suite.ts";

type Body = (open: OpenApp, patience: number, subject: AppSubject) => Promise<void>;
const test =
  (body: Body) =>
  (subject: AppSubject): Promise<void> =>
    withApps(subject, (open) => body(open, patienceOf(subject), subject));

/** The bodies of the suite: each rejects when the subject does not keep the contract. */
export const appTests: Tests<AppTest, AppSubject> = {
  "starts and stops on a bus": test(async (_open, patience, subject) => {
    const bus = busWith(await subject.create());
    try {
      await within(bus.start(), patience, "start of a bus");
    } finally {
      await within(bus.stop(), patience * 2, "stop of a bus");
    }
    expectBalanced(bus.stats());
  }),

  "stops twice, at once and again": test(async (open) => {
    const stand = await open();
    await stand.start();
    await Promise.all([stand.stop(), stand.stop()]);
    await stand.stop();
  }),

  "stops without having started": test(async (open) => {
    const stand = await open();
    await stand.stop();
  }),

  "stops while it starts": test(async (open, patience) => {
    const before = await afterFirstUse(open);
    const stand = await open();
    const starting = stand.start().catch(() => undefined);
    await stand.stop();
    await starting;
    await stand.bus.stop();
    await expectFreed(before, patience);
  }),

  "stops when the stop signal had fired before it started": test(async (open) => {
    const stand = await open();
    stand.host.stopping.abort();
    await stand.start().catch(() => undefined);
    await stand.stop();
  }),

  "frees what it holds": test(async (open, patience) => {
    const before = await afterFirstUse(open);
    const stand = await open();
    await stand.start();
    await publishAll(stand);
    await stand.stop();
    await stand.bus.stop();
    await expectFreed(before, patience);
  }),

  "starts again with the same options": test(async (open) => {
    const first = await open();
    await first.start();
    await first.stop();
    for (let n = 0; n < 2; n++) {
      const again = await open(first.configured);
      await again.start();
      await again.stop();
    }
  }),

  "shares nothing between instances": test(async (open, patience) => {
    const [one, other] = [await open(), await open()];
    await one.start();
    await other.start();
    const topics = (): unknown => other.bus.stats().subscriptions.map((each) => each.topics);
    const before = topics();
    await one.stop();
    await one.bus.stop();
    expect(topics()).toEqual(before);
    await publishAll(other);
    await eventually(() => other.bus.stats().arrived >= samples().length, true, patience);
    await other.stop();
    expectBalanced(other.bus.stats());
  }),

  "names itself when it cannot start": test(async (open, patience, subject) => {
    const failing = (await subject.failing?.()) ?? (await occupied(open));
    const bus = busWith(failing);
    const thrown = await within(bus.start(), patience, "a start that should fail").catch((reason: unknown) => reason);
    await within(bus.stop().catch(() => undefined), patience * 2, "stop of a bus");
    if (!isThreatbusError(thrown)) throw new Error(`start should have rejected with a ThreatbusError, not: ${String(thrown)}`);
    expect(thrown.plugin).toBe(failing.name);
    expect(thrown.message).toContain(failing.name);
  }),

  "refuses invalid options": async ({ invalid = [] }) => {
    if (invalid.length === 0) throw new Error("say which options are invalid (`invalid`), or why none are (`cannot`)");
    invalid.forEach((call, n) => {
      const thrown = thrownBy(call);
      if (!isThreatbusError(thrown, "OPTIONS_INVALID")) throw new Error(`invalid[${n}]: no OPTIONS_INVALID, but: ${String(thrown)}`);
      expect(thrown.plugin, `invalid[${n}]: the error names the plugin`).toBeTypeOf("string");
      expect(thrown.issues.length, `invalid[${n}]: the error lists its issues`).toBeGreaterThan(0);
    });
  },

  "ends a snapshot on its signal": test(async (open, patience) => {
    const stand = await open();
    await stand.start();
    for (const type of [1, 2] as const) {
      await within(takeSnapshot(stand.app, type, 0), patience, "a snapshot whose signal had fired");
      await within(takeSnapshot(stand.app, type, 1), patience, "a snapshot ended after its first object");
    }
  }),

  "accounts for every message of a bus": test(async (_open, patience, subject) => {
    const bus = busWith(await subject.create());
    try {
      await within(bus.start(), patience, "start of a bus");
      await publishAll({ bus });
    } finally {
      await within(bus.stop(), patience * 2, "stop of a bus");
    }
    const stats = bus.stats();
    expectBalanced(stats);
    expect(stats.arrived).toBeGreaterThanOrEqual(samples().length);
    expect([...stats.subscriptions, stats.ended].filter(({ waiting }) => waiting > 0)).toEqual([]);
  }),

  "writes nothing to the console": test(async (open) => {
    const written: unknown[] = [];
    const record = (...words: unknown[]): boolean => written.push(...words) > 0;
    const methods = ["debug", "log", "info", "warn", "error", "trace"] as const;
    const spies = methods.map((method) => vi.spyOn(console, method).mockImplementation(record));
    const streams = [process.stdout, process.stderr].map((stream) => vi.spyOn(stream, "write").mockImplementation(record));
    try {
      const stand = await open();
      await stand.start();
      await publishAll(stand);
      await stand.stop();
    } finally {
      for (const spy of [...spies, ...streams]) spy.mockRestore();
    }
    expect(written).toEqual([]);
  }),
};

/** What is in use once libraries have loaded what they load late and keep. */
async function afterFirstUse(open: OpenApp): Promise<Resources> {
  const stand = await open();
  await stand.start();
  await stand.stop();
  await stand.bus.stop();
  return resourcesInUse();
}

async function occupied(open: OpenApp): Promise<AppStand["configured"]> {
  const running = await open();
  await running.start();
  return running.configured;
}

/** Pulls until `most` objects came, then fires the signal and pulls on; whatever it throws then is its way to end. */
async function takeSnapshot(app: App, type: SnapshotRequest["snapshot_type"], most: number): Promise<void> {
  const ending = new AbortController();
  if (most === 0) ending.abort();
  const month = 30 * 24 * 3600;
  const request: SnapshotRequest = { type: "snapshotrequest", snapshot_type: type, snapshot_id: randomUUID(), snapshot: month };
  let taken = 0;
  try {
    for await (const _object of app.snapshot?.(request, ending.signal) ?? []) if (++taken >= most) ending.abort();
  } catch (thrown) {
    if (!ending.signal.aborted) throw thrown;
  }
}

async function publishAll({ bus }: Pick<AppStand, "bus">): Promise<void> {
  for (const sample of samples()) await bus.publish(sample);
}

function thrownBy(call: () => unknown): unknown {
  try {
    return call();
  } catch (thrown) {
    return thrown;
  }
}
