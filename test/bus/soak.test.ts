import { readdirSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createBus, message, silentLogger, type ConfiguredBackbone, type ThreatBus } from "@threatbus/core";
import { kafka } from "@threatbus/kafka";
import { rabbitmq } from "@threatbus/rabbitmq";
import { kafka as startKafka, needs, rabbitmq as startRabbitmq, type Service } from "@threatbus/services";
import { chaosProxy, createOracle, expectBalanced, faultScript, freePort, runFaultScript, type ChaosProxy, type FaultHandlers, type FaultKind } from "@threatbus/testkit";
import { expect, onTestFinished, test } from "vitest";
import { bytesOf, indicator, say, scale, seed } from "./stand.ts";

/** Milliseconds of faults: ten minutes in the long run. */
const duration = scale >= 50 ? 600_000 : 12_000;
/** Messages a host publishes at a time, and milliseconds between two times: 500 a second of two hosts. */
const [burst, rest] = [10, 40];
const faults: readonly FaultKind[] = [
  { op: "reset", who: "way" },
  { op: "latency", who: "way", undo: "calm" },
  { op: "slicer", who: "way", undo: "calm" },
  { op: "down", who: "way", undo: "up" },
  { op: "freeze", who: "broker", undo: "thaw" },
];

interface Ground {
  readonly broker: Service;
  readonly proxy: ChaosProxy;
  /** Host 0 goes through the proxy, host 1 straight. */
  readonly backbone: (host: 0 | 1) => ConfiguredBackbone;
}

async function overRabbitmq(): Promise<Ground> {
  const broker = await startRabbitmq();
  const proxy = await chaosProxy({ target: { host: "127.0.0.1", port: broker.port }, seed });
  return { broker, proxy, backbone: (host) => rabbitmq({ host: "127.0.0.1", port: host === 0 ? proxy.port : broker.port, exchange_name: "soak", queue: { name_suffix: `soak.${host}` } }) };
}

async function overKafka(): Promise<Ground> {
  // The broker tells its clients where to come to, so it has to know the proxy first.
  const target = { host: "127.0.0.1", port: await freePort() };
  const proxy = await chaosProxy({ target, seed });
  const broker = await startKafka({ advertise: { host: proxy.host, port: proxy.port } });
  target.port = broker.proxied.port;
  return { broker, proxy, backbone: (host) => kafka({ topic: "soak", group_id: `soak.${host}`, config: { "bootstrap.servers": host === 0 ? `${proxy.host}:${proxy.port}` : broker.bootstrap } }) };
}

const handles = (): number => readdirSync("/proc/self/fd").length;

for (const [kind, open] of [["rabbitmq", overRabbitmq], ["kafka", overKafka]] as const) {
  const { describe } = await needs(kind);
  describe(`a soak over ${kind}`, () => {
    test(`${duration / 1000} s of faults: nothing unaccounted for, nothing lost, no handle left behind (B1, B18, B20)`, async () => {
      const { broker, proxy, backbone } = await open();
      onTestFinished(() => broker.stop());
      onTestFinished(() => proxy.stop());
      const before = handles();
      const oracle = createOracle(["0", "1"]);
      const hosts: ThreatBus[] = [];
      for (const host of [0, 1] as const) {
        const bus = createBus({ backbones: [backbone(host)], logger: silentLogger });
        onTestFinished(() => bus.stop().catch(() => undefined));
        await bus.subscribe("stix2/", ({ id, payload }) => oracle.ingest(String(host), id, payload), { queue: { maxItems: 100_000 } });
        await bus.start();
        hosts.push(bus);
      }
      const script = faultScript(seed, { faults, duration, period: 3_000 });
      say(`${kind} THREATBUS_TEST_SEED=${seed}: ${script.steps.length} steps`);
      const handlers: FaultHandlers = {
        reset: () => proxy.down().then(() => proxy.up()),
        latency: () => void proxy.add({ type: "latency", latency: 50, jitter: 40 }),
        slicer: () => void proxy.add({ type: "slicer", averageSize: 700, delay: 1 }),
        calm: () => proxy.clear(),
        down: () => proxy.down(),
        up: () => proxy.up(),
        freeze: () => broker.pause(),
        thaw: () => broker.resume(),
      };
      let running = true;
      const unbalanced: unknown[] = [];
      const publishing: Promise<void>[] = [];
      const produce = async (bus: ThreatBus, producer: number): Promise<void> => {
        for (let n = 0; running; ) {
          for (let k = 0; k < burst; k++, n++) {
            const object = indicator(n, producer);
            const sent = message(object);
            oracle.claim(sent.id, bytesOf(object), String(producer));
            publishing.push(bus.publish(sent).then(() => oracle.acked(sent.id)));
          }
          for (const each of hosts) try { expectBalanced(each.stats()); } catch (thrown) { unbalanced.push(thrown); }
          await pause(rest);
        }
      };
      const producing = hosts.map(produce);
      // Whatever the seed brings, the way is cut once.
      await handlers["reset"]?.("way");
      expect(await runFaultScript(script, handlers, new AbortController().signal)).toBe(script.steps.length);
      running = false;
      broker.resume();
      proxy.clear();
      await proxy.up();
      await Promise.all([...producing, ...publishing]);
      await expect.poll(() => oracle.report().total.missing, { interval: 100 }).toBe(0);
      const { issued, total } = oracle.report();
      const figure = (bus: ThreatBus, name: string) => Object.values(bus.stats().plugins).flat().find((sample) => sample.name === name)?.value ?? 0;
      const reconnects = figure(hosts[0] as ThreatBus, `${kind}_reconnects`);
      say(`${kind}: ${issued} messages, lost ${total.lost}, reordered ${total.reordered}, ${reconnects} reconnects, duplicates left out ${hosts.map((bus) => bus.stats().duplicates).join(" and ")}, ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`);
      expect(unbalanced).toEqual([]);
      expect(total).toMatchObject({ lost: 0, spurious: 0, corrupted: 0, reordered: 0 });
      expect(reconnects).toBeGreaterThan(0);
      for (const bus of hosts) await bus.stop();
      await proxy.stop();
      await expect.poll(handles).toBeLessThanOrEqual(before);
    });
  });
}
