import { createServer } from "node:net";
import { kafka as startBroker, needs, type Kafka } from "@threatbus/services";
import { createOracle, freePort } from "@threatbus/testkit";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { hostProgram, type HostProgram } from "./host-program.ts";
import { into, newWorld, say, scale, soon, startHost, stream, version, type Options, type TestHost } from "./hosts.ts";

const { describe } = await needs("kafka");
/** Messages between two faults; one publisher waits for each. */
const some = Math.round(500 * Math.min(scale, 4));
const kills = scale >= 50 ? 20 : Math.max(2, Math.round(scale / 2.5));
const idsOf = ({ frames }: TestHost): string[] => frames.map(({ id }) => id);
/** Who is killed is missed sooner than a user wants to. */
const brief = { "session.timeout.ms": 4_000, "heartbeat.interval.ms": 800, "max.poll.interval.ms": 6_000, ...soon } as const;

describe("hosts that are killed", () => {
  let bootstrap = "";
  let broker: Kafka;
  beforeAll(async () => {
    broker = await startBroker({ properties: ["group.min.session.timeout.ms=500"] });
    bootstrap = broker.bootstrap;
  });
  afterAll(() => broker.stop());

  test("a host killed in the middle: all that was answered for arrives everywhere (F50, B4)", async () => {
    const topic = newWorld();
    const watcher = await startHost(bootstrap, { topic, group_id: `${topic}-watcher`, create_topics: { partitions: 3 } });
    const [answered, arrived]: [string[], Set<string>] = [[], new Set()];
    let running = true;
    const publishing = (async () => {
      for (let n = 0; running; n++) {
        const frame = version(n % 20, n);
        await watcher.backbone.publish(frame);
        answered.push(frame.id);
      }
    })();
    // Rejected only when the test has failed already.
    publishing.catch(() => undefined);
    const lives: HostProgram[] = [];
    for (let life = 0; life <= kills; life++) {
      const program = await hostProgram({ topic, group_id: `${topic}-victim`, from: "earliest", prefetch: 200, config: { "bootstrap.servers": bootstrap, ...brief } });
      lives.push(program);
      await program.until(some);
      if (life < kills) await program.kill();
    }
    running = false;
    await publishing;
    const missing = (): number => {
      for (const { got } of lives) for (const id of got) arrived.add(id);
      return answered.filter((id) => !arrived.has(id)).length;
    };
    await expect.poll(missing).toBe(0);
    for (const program of lives) await program.kill();
    const ofVictims = lives.flatMap(({ acked }) => acked);
    await expect.poll(() => {
      const seen = new Set(idsOf(watcher));
      return ofVictims.filter((id) => !seen.has(id)).length;
    }).toBe(0);
    const total = lives.reduce((sum, { got }) => sum + got.length, 0);
    say(`killed ${kills} times: ${answered.length} messages to the killed, ${ofVictims.length} from it, lost 0, duplicates ${total - arrived.size}`);
    expect(total - arrived.size).toBeLessThanOrEqual(kills * 200);
  });

  test("one joins, one leaves and one is killed while messages flow: each message reaches one of them, in order (F27)", async () => {
    const topic = newWorld();
    const options: Options = { topic, group_id: `${topic}-group`, create_topics: { partitions: 6 }, config: { "bootstrap.servers": bootstrap, ...brief } };
    const oracle = createOracle(["group"]);
    const source = await startHost(bootstrap, { ...options, group_id: `${topic}-source` });
    const first = await startHost(bootstrap, options, into(oracle, "group"));
    const flow = stream(source, oracle, 50, 10);
    await flow.answered(some);
    const second = await startHost(bootstrap, options, into(oracle, "group"));
    await flow.answered(some);
    await expect.poll(() => second.frames.length).toBeGreaterThan(0);
    const victim = await hostProgram(options, { publishes: false });
    await victim.until(10);
    await victim.kill();
    await second.stop();
    await flow.answered(some);
    await flow.stop();
    // What only the victim got counts as delivered: it said so before it was killed.
    const ofVictim = new Set(victim.got);
    await expect.poll(() => {
      const reached = new Set([...idsOf(first), ...idsOf(second), ...ofVictim]);
      return flow.acked.filter((id) => !reached.has(id)).length;
    }, { interval: 200 }).toBe(0);
    const report = oracle.report();
    expect(report.subscriptions["group"]).toMatchObject({ spurious: 0, corrupted: 0, reordered: 0 });
    say(`${report.issued} messages, one host of the group joined, one was killed, one left: duplicates ${report.subscriptions["group"]?.duplicates}`);
  });

  test("a host that has nothing but its broker to wait for keeps waiting", async () => {
    let attempts = 0;
    const server = createServer((socket) => {
      attempts++;
      socket.on("error", () => undefined).resetAndDestroy();
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const host = hostProgram({ topic: newWorld(), config: { "bootstrap.servers": `127.0.0.1:${port}` } }).catch((thrown: unknown) => thrown);
    await expect.poll(() => attempts).toBeGreaterThan(3);
    void host;
  });
});
