import { createBus, type BusStats, type ConfiguredBackbone, type Fields, type Logger, type QueueLimits, type ThreatBus } from "@threatbus/core";
import { createOracle, expectBalanced, indicator, type OracleReport } from "@threatbus/testkit";
import { expect, onTestFinished } from "vitest";

export const scale: number = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
/** Milliseconds for anything that should happen. */
export const patience = 60_000;

export interface Line {
  readonly level: keyof Logger;
  readonly text: string;
  readonly fields: Fields;
}

export interface FleetHost {
  readonly bus: ThreatBus;
  readonly lines: readonly Line[];
  /** A figure of the backbone. */
  figure(name: string): number;
}

/** Hosts of one bus, each with a subscription to everything; what any of them publishes is expected at all. */
export interface Fleet {
  readonly hosts: readonly FleetHost[];
  /** Publishes from this host, as fast as `underWay` allows, until `end`. */
  load(host?: number, underWay?: number): void;
  /** Resolves when as many more messages of this host were answered for. */
  answered(count: number, host?: number): Promise<void>;
  /** Ends the load; resolves when all that was published has reached every host. Nothing lost, nothing out of order, every account balanced. */
  end(): Promise<OracleReport>;
}

export interface FleetOptions {
  readonly queue?: Partial<QueueLimits>;
  /** What the subscription of a host does with each message. */
  readonly handle?: (host: number) => Promise<void> | void;
}

export async function fleet(backbones: readonly ConfiguredBackbone[], { queue, handle }: FleetOptions = {}): Promise<Fleet> {
  const names = backbones.map((_, n) => `host ${n}`);
  const oracle = createOracle(names);
  const hosts: FleetHost[] = [];
  for (const [n, backbone] of backbones.entries()) {
    const host = await oneHost(backbone);
    hosts.push(host);
    await host.bus.subscribe("stix2/", async ({ id, payload }) => {
      oracle.ingest(names[n] as string, id, payload);
      await handle?.(n);
    }, { name: "all", queue: { maxItems: 1_000_000, ...queue } });
  }
  let running = true;
  const acked = backbones.map(() => 0);
  const producing: Promise<void>[] = [];

  async function produce(host: number, underWay: number): Promise<void> {
    const { bus } = hosts[host] as FleetHost;
    const open = new Set<Promise<void>>();
    while (running) {
      if (open.size >= underWay) await Promise.race(open);
      const sent = indicator();
      oracle.claim(sent.id, sent.payload, names[host]);
      // Rejected only when a test has failed and its bus is stopped: then there is nothing more to count.
      const done: Promise<void> = bus.publish(sent).then(() => {
        oracle.acked(sent.id);
        acked[host] = (acked[host] ?? 0) + 1;
      }).catch(() => (running = false)).then(() => void open.delete(done));
      open.add(done);
    }
    await Promise.all(open);
  }

  return {
    hosts,
    load: (host = 0, underWay = 200) => void producing.push(produce(host, underWay)),
    answered: (count, host = 0) => {
      const goal = (acked[host] ?? 0) + count;
      return expect.poll(() => (acked[host] ?? 0) >= goal).toBe(true);
    },
    async end() {
      running = false;
      await Promise.all(producing);
      try {
        await expect.poll(() => oracle.report().total.missing).toBe(0);
      } catch (cause) {
        throw new Error(`not all has arrived; the hosts said:\n${hosts.map(({ bus, lines }, n) => said(n, bus, lines)).join("\n")}`, { cause });
      }
      const report = oracle.report();
      expect(report.total).toMatchObject({ lost: 0, missing: 0, spurious: 0, corrupted: 0, reordered: 0 });
      for (const { bus } of hosts) expectBalanced(bus.stats());
      return report;
    },
  };
}

function said(host: number, bus: ThreatBus, lines: readonly Line[]): string {
  return `${host}: ${JSON.stringify(bus.stats().plugins)}\n${lines.slice(-50).map(({ level, text, fields }) => `  ${level} ${text} ${JSON.stringify(fields)}`).join("\n")}`;
}

/** Starts a bus that ends with the test. */
export async function oneHost(backbone: ConfiguredBackbone): Promise<FleetHost> {
  const lines: Line[] = [];
  const write = (level: keyof Logger) => (text: string, fields: Fields = {}): void => void lines.push({ level, text, fields });
  const bus = createBus({ backbones: [backbone], logger: { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") }, drainTimeout: 5_000 });
  onTestFinished(() => bus.stop().catch(() => undefined));
  await bus.start();
  return { bus, lines, figure: (name) => figureOf(bus.stats(), name) };
}

export function figureOf({ plugins }: BusStats, name: string): number {
  return Object.values(plugins).flat().filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
}
