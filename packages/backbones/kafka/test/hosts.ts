import { randomUUID } from "node:crypto";
import { message, systemClock, type Backbone, type Clock, type Deliver, type Frame, type Message } from "@threatbus/core";
import { createOracle, fakeHost, type FakeHost, type Oracle, type OracleReport } from "@threatbus/testkit";
import { expect, onTestFinished } from "vitest";
import { kafka } from "../src/index.ts";

export const scale: number = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
/** Milliseconds for anything that should happen. */
const patience = 60_000;

export type Options = Exclude<Parameters<typeof kafka>[0], undefined>;

/** A stop waits for the answer to the last fetch. */
export const soon = { "fetch.wait.max.ms": 50 } as const;

export interface TestHost {
  readonly backbone: Backbone;
  readonly host: FakeHost<Clock>;
  /** All that was delivered, in order. */
  readonly frames: readonly Frame[];
  stop(): Promise<void>;
}

export function newWorld(): string {
  return `test-${randomUUID()}`;
}

export function makeHost(bootstrap: string, { config, ...options }: Options, deliver: Deliver = async () => undefined): TestHost & { start(signal?: AbortSignal): Promise<void> } {
  const frames: Frame[] = [];
  const host = fakeHost({ name: "kafka", clock: systemClock });
  const backbone = kafka({ ...options, config: { "bootstrap.servers": bootstrap, ...soon, ...config } }).create(host);
  const stop = async (): Promise<void> => {
    host.stopping.abort();
    await backbone.stop();
  };
  onTestFinished(stop);
  const record: Deliver = (frame) => {
    frames.push(frame);
    return deliver(frame);
  };
  return { backbone, host, frames, stop, start: (signal = AbortSignal.timeout(patience)) => backbone.start(record, signal) };
}

/** A host that runs, until the test ends. */
export async function startHost(bootstrap: string, options: Options, deliver?: Deliver): Promise<TestHost> {
  const host = makeHost(bootstrap, options, deliver);
  await host.start();
  return host;
}

/** The n-th version of the k-th object. */
export function version(k: number, n: number): Message {
  const now = "2026-01-31T12:00:00.000Z";
  const id = `indicator--00000000-0000-4000-8000-${String(k).padStart(12, "0")}` as const;
  return message({ type: "indicator", spec_version: "2.1", id, created: now, modified: now, valid_from: now, pattern: "[ipv4-addr:value = '192.0.2.1']", pattern_type: "stix", name: `version ${n}` });
}

export interface Stream {
  readonly oracle: Oracle;
  /** Ids of what Kafka answered for. */
  readonly acked: readonly string[];
  /** Resolves when as many more messages were answered for. */
  answered(count: number): Promise<void>;
  /** Publishes nothing more; resolves when all is answered for. */
  stop(): Promise<void>;
  /** The same; resolves when all that was published has reached every one of these, in the order of each object. */
  end(...subscriptions: string[]): Promise<OracleReport>;
}

/** Publishes versions of some objects, so many at once, until it is ended. */
export function stream({ backbone }: TestHost, oracle: Oracle = createOracle(), keys = 20, underWay = 100): Stream {
  const acked: string[] = [];
  let [running, sent] = [true, 0];
  const produce = async (): Promise<void> => {
    const open = new Set<Promise<void>>();
    while (running) {
      if (open.size >= underWay) await Promise.race(open);
      const k = sent % keys;
      const frame = version(k, sent++);
      oracle.claim(frame.id, frame.payload, `object ${k}`);
      const done: Promise<void> = backbone.publish(frame).then(() => {
        oracle.acked(frame.id);
        acked.push(frame.id);
      }).catch(() => (running = false)).then(() => void open.delete(done));
      open.add(done);
    }
    await Promise.all(open);
  };
  const producing = produce();
  const stop = (): Promise<void> => {
    running = false;
    return producing;
  };
  return {
    oracle,
    acked,
    stop,
    answered: (count) => {
      const goal = acked.length + count;
      return expect.poll(() => acked.length >= goal).toBe(true);
    },
    async end(...subscriptions) {
      await stop();
      await expect.poll(() => subscriptions.map((name) => oracle.report().subscriptions[name]?.missing ?? Infinity)).toEqual(subscriptions.map(() => 0));
      const report = oracle.report();
      expect(report.total).toMatchObject({ lost: 0, spurious: 0, corrupted: 0, reordered: 0 });
      return report;
    },
  };
}

/** Tells the oracle. */
export const into = (oracle: Oracle, name: string): Deliver => async ({ id, payload }) => oracle.ingest(name, id, payload);

export function say(text: string): void {
  process.stdout.write(`  ${text}\n`);
}
