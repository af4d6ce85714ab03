import { setTimeout as pause } from "node:timers/promises";
import { createBus, silentLogger } from "@threatbus/core";
import { needs, rabbitmq as startBroker, type Rabbitmq } from "@threatbus/services";
import { chaosProxy, indicator, type ChaosProxy, type Toxic } from "@threatbus/testkit";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { rabbitmq } from "../src/index.ts";
import { fleet, oneHost, scale, type Fleet } from "./fleet.ts";
import { connectionOf, type Options } from "./options.ts";

const { describe } = await needs("rabbitmq");
/** Messages before and after a fault. */
const some = scale >= 50 ? 5_000 : 500;
/** Times the broker goes away: twice, or twenty times in the long run. */
const ends = scale >= 50 ? 20 : 2;
let worlds = 0;

describe("faults of the broker and of the way to it", () => {
  let broker: Rabbitmq;
  beforeAll(async () => void (broker = await startBroker()));
  afterAll(() => broker.stop());

  /** A durable host, as a user has it. */
  const host = (world: string, n: number, more: Options = {}) =>
    rabbitmq({ ...connectionOf(broker.url), exchange_name: world, ...more, queue: { name_suffix: `${world}.${n}`, ...more.queue } });
  const twoHosts = (more: Options = {}): Promise<Fleet> => {
    const world = `faults-${++worlds}`;
    return fleet([host(world, 0, more), host(world, 1, more)]);
  };

  // After SIGKILL a quorum queue on a single node of RabbitMQ 3.10.8 may be left without a leader for good, whoever its clients are.
  test.each([["classic", "kill"], ["quorum", "terminate"]] as const)("%s queues, a broker gone (%s) and back under load: nothing lost, nothing out of order (F02, B3)", async (type, end) => {
    const both = await twoHosts({ queue: { type } });
    both.load();
    for (let times = 0; times < ends; times++) {
      await both.answered(some);
      await broker[end]();
      await broker.start();
    }
    await both.answered(some);
    const { issued, total } = await both.end();
    const [first, second] = both.hosts;
    const again = both.hosts.map(({ bus }) => bus.stats().duplicates);
    say(`${type}: ${issued} messages, ${ends} × ${end}; lost ${total.lost}, reordered ${total.reordered}, reconnects ${first?.figure("rabbitmq_reconnects")} and ${second?.figure("rabbitmq_reconnects")}, redelivered and left out ${again.join(" and ")}`);
    expect(first?.figure("rabbitmq_reconnects")).toBeGreaterThan(0);
    expect(first?.figure("outbox_waiting")).toBe(0);
    // At most what was under way and what was handed out, each time.
    for (const count of again) expect(count).toBeLessThanOrEqual((1_000 + 500) * ends);
  });

  // RabbitMQ 3.10.8 forgets one binding in twelve that it has confirmed, if it is killed at once.
  test("a broker killed as soon as a host has started: its binding is there when it is back (F02)", async () => {
    for (let times = 0; times < ends; times++) {
      const world = `faults-${++worlds}`;
      const { bus } = await oneHost(host(world, 0));
      await broker.kill();
      await bus.stop();
      await broker.start();
      expect(await broker.ctl("list_bindings", "source_name", "destination_name")).toContain(`${world}\tthreatbus.${world}.0\n`);
    }
  });

  test("restarted in good order: both go on by themselves (F01)", async () => {
    const both = await twoHosts();
    both.load();
    both.load(1);
    await both.answered(some);
    await broker.ctl("stop_app");
    await broker.ctl("start_app");
    await both.answered(some);
    await both.end();
    expect(both.hosts[1]?.figure("rabbitmq_reconnects")).toBeGreaterThan(0);
  });

  test("away while much is published: the outbox holds as much as it may, in order, and the accounts tell of the rest (F03)", async () => {
    const world = `faults-${++worlds}`;
    const { hosts: [only] } = await fleet([host(world, 0, { outbox: { max_items: 100, overflow: "drop_oldest" } })]);
    await broker.kill();
    await expect.poll(() => only?.figure("rabbitmq_connected")).toBe(0);
    const outcomes = Promise.allSettled(Array.from({ length: 250 }, async () => only?.bus.publish(indicator())));
    await expect.poll(() => only?.figure("outbox_waiting")).toBe(100);
    expect(only?.figure("outbox_dropped")).toBe(150);
    await broker.start();
    const told = await outcomes;
    expect(told.map(({ status }) => status)).toEqual([...Array<string>(150).fill("rejected"), ...Array<string>(100).fill("fulfilled")]);
    expect(told[0]).toMatchObject({ reason: { code: "BACKBONE_FAILED" } });
    expect(only?.bus.stats()).toMatchObject({ failed: 150, published: 100 });
  });

  test("every connection closed by an operator: they come back (F05)", async () => {
    const both = await twoHosts();
    both.load();
    for (let n = 0; n < 3; n++) {
      await both.answered(some);
      const before = both.hosts[0]?.figure("rabbitmq_reconnects") ?? 0;
      await broker.ctl("close_all_connections", "maintenance");
      await expect.poll(() => both.hosts[0]?.figure("rabbitmq_reconnects")).toBeGreaterThan(before);
    }
    await both.answered(some);
    await both.end();
  });

  test("a queue deleted: it is made again, and nothing confirmed goes nowhere (F05)", async () => {
    const world = `faults-${++worlds}`;
    const alone = await fleet([host(world, 0)]);
    await broker.ctl("delete_queue", `threatbus.${world}.0`);
    await expect.poll(() => alone.hosts[0]?.figure("rabbitmq_reconnects")).toBe(1);
    alone.load();
    await alone.answered(some);
    await alone.end();
    expect(alone.hosts[0]?.lines.some(({ fields }) => String(fields["reason"]).includes("the queue was deleted"))).toBe(true);
  });

  test("a memory alarm: publishing waits, nothing is torn down, all is confirmed when it ends (F04)", async () => {
    const both = await twoHosts();
    both.load();
    await both.answered(some);
    await broker.ctl("set_vm_memory_high_watermark", "0.00001");
    onTestFinished(() => broker.ctl("set_vm_memory_high_watermark", "0.4").then(() => undefined));
    await expect.poll(() => both.hosts[0]?.figure("rabbitmq_blocked")).toBe(1);
    expect(both.hosts[0]?.figure("rabbitmq_connected")).toBe(1);
    await broker.ctl("set_vm_memory_high_watermark", "0.4");
    await expect.poll(() => both.hosts[0]?.figure("rabbitmq_blocked")).toBe(0);
    await both.answered(some);
    await both.end();
    expect(both.hosts.map((each) => each.figure("rabbitmq_reconnects"))).toEqual([0, 0]);
  });

  test("a frozen broker at the start: the attempt ends with a reason (F08)", async () => {
    broker.pause();
    onTestFinished(() => broker.resume());
    const backbone = host(`faults-${++worlds}`, 0, { connect_timeout: 0.3 });
    const bus = createBus({ backbones: [backbone], logger: silentLogger, startTimeout: 2_000 });
    await expect(bus.start()).rejects.toMatchObject({ code: "CONNECTION_FAILED", message: expect.stringContaining("does not answer in time") as string });
  });

  describeProxied(() => broker);
});

function describeProxied(broker: () => Rabbitmq): void {
  /** Host 0 behind the proxy, host 1 direct; both publish. */
  async function proxied(more: Options = {}): Promise<{ both: Fleet; proxy: ChaosProxy }> {
    const proxy = await chaosProxy({ target: { host: "127.0.0.1", port: broker().port } });
    onTestFinished(() => proxy.stop());
    const world = `faults-${++worlds}`;
    const at = (n: number, port: number) => rabbitmq({ ...connectionOf(broker().url), ...more, port, exchange_name: world, queue: { name_suffix: `${world}.${n}` } });
    const both = await fleet([at(0, proxy.port), at(1, broker().port)]);
    both.load(0);
    both.load(1, 20);
    await both.answered(some);
    return { both, proxy };
  }

  test("connections reset, in the middle of frames too (F10)", async () => {
    const { both, proxy } = await proxied();
    for (const bytes of [50_000, 50_001, 100_003]) {
      const before = both.hosts[0]?.figure("rabbitmq_reconnects") ?? 0;
      const heal = proxy.add({ type: "limitData", bytes });
      await expect.poll(() => both.hosts[0]?.figure("rabbitmq_reconnects")).toBeGreaterThan(before);
      heal();
      await expect.poll(() => both.hosts[0]?.figure("rabbitmq_connected")).toBe(1);
      await both.answered(some);
    }
    const before = both.hosts[0]?.figure("rabbitmq_reconnects") ?? 0;
    await expect.poll(() => both.hosts[0]?.figure("rabbitmq_connected")).toBe(1);
    await proxy.down();
    await proxy.up();
    await expect.poll(() => both.hosts[0]?.figure("rabbitmq_reconnects")).toBeGreaterThan(before);
    await both.answered(some);
    await both.end();
  });

  test("connections cut at any moment of their making, again and again: it always comes back (F10)", async () => {
    const { both, proxy } = await proxied();
    for (let round = 0; round < Math.min(100, 6 * scale); round++) {
      for (let cut = 0; cut < 5; cut++) {
        await proxy.down();
        await proxy.up();
        // Somewhere between the first word of the handshake and the first message.
        await pause(Math.random() * 300);
      }
      await expect.poll(() => both.hosts[0]?.figure("rabbitmq_connected")).toBe(1);
    }
    await both.answered(some);
    await both.end();
  });

  test("half-open: noticed by the heartbeat, and mended (F07, B7)", async () => {
    const { both, proxy } = await proxied({ heartbeat: 1 });
    proxy.add({ type: "halfOpen" });
    await expect.poll(() => both.hosts[0]?.figure("rabbitmq_connected")).toBe(0);
    proxy.clear();
    await proxy.down();
    await proxy.up();
    await both.answered(some);
    await both.end();
    expect(both.hosts[0]?.figure("rabbitmq_reconnects")).toBeGreaterThan(0);
  });

  const slow: readonly (readonly [string, Toxic])[] = [
    ["200 ms away", { type: "latency", latency: 100 }],
    ["1 Mbit/s", { type: "bandwidth", rate: 125 }],
    ["in slices", { type: "slicer", averageSize: 400, delay: 1 }],
  ];
  test.each(slow)("a broker %s: slow, without loss and without a reconnect (F09)", async (_, toxic) => {
    const { both, proxy } = await proxied();
    proxy.add(toxic);
    await both.answered(some);
    proxy.clear();
    await both.end();
    expect(both.hosts[0]?.figure("rabbitmq_reconnects")).toBe(0);
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
