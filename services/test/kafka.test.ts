import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { chaosProxy, freePort, type ChaosProxy } from "@threatbus/testkit";
import { Kafka as Client, logLevel, type KafkaConfig, type SASLOptions } from "kafkajs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { kafka, needs, type Kafka } from "../src/index.ts";
import { answersKafka } from "../src/kafka-probe.ts";
import { isFrozen } from "../src/processes.ts";
import { folderOf, listenersOf, loopbacks, none, tracesOf } from "./traces.ts";

/** The oldest that is promised to work. */
const oldest = "3.9.2";
const { describe } = await needs("kafka");
const { describe: describeOldest } = await needs("kafka", oldest);

const answers = ({ port }: Kafka): Promise<boolean> => answersKafka(connect(port, "127.0.0.1"));
const client = (bootstrap: string, config: Partial<KafkaConfig> = {}): Client => new Client({ brokers: [bootstrap], logLevel: logLevel.NOTHING, connectionTimeout: 60_000, retry: { retries: 0 }, ...config });

/** The addresses of the brokers, as this client is told them. */
async function clusterSeenBy(bootstrap: string, config: Partial<KafkaConfig>): Promise<string[]> {
  const admin = client(bootstrap, config).admin();
  try {
    await admin.connect();
    return (await admin.describeCluster()).brokers.map(({ host, port }) => `${host}:${port}`);
  } finally {
    await admin.disconnect();
  }
}

async function keep(broker: Kafka): Promise<void> {
  const admin = client(broker.bootstrap).admin();
  await admin.createTopics({ topics: [{ topic: "kept", numPartitions: 1 }], waitForLeaders: true });
  await admin.disconnect();
  const producer = client(broker.bootstrap).producer();
  await producer.connect();
  await producer.send({ topic: "kept", messages: [{ value: "one" }, { value: "two" }] });
  await producer.disconnect();
}

async function kept(broker: Kafka): Promise<string | undefined> {
  const admin = client(broker.bootstrap).admin();
  const [partition] = await admin.fetchTopicOffsets("kept").finally(() => admin.disconnect());
  return partition?.high;
}

describe("Kafka", () => {
  let broker: Kafka, proxy: ChaosProxy;
  beforeAll(async () => {
    const target = { host: "127.0.0.1", port: await freePort() };
    proxy = await chaosProxy({ target });
    broker = await kafka({ tls: "mutual", sasl: true, advertise: { host: "localhost", port: proxy.port, listen: target.port } });
  });
  afterAll(async () => {
    await Promise.all([broker?.stop(), proxy?.stop()]);
  });

  it("listens on the loopback only", () => {
    const found = listenersOf(folderOf(broker.pid));
    expect(found.map(({ port }) => port)).toEqual(expect.arrayContaining([broker.port, broker.proxied.port, broker.tls.port, broker.sasl.port]));
    expect(found.filter(({ address }) => !loopbacks.includes(address))).toEqual([]);
  });

  it("sends the clients of a proxy to the proxy, and the others to itself", async () => {
    expect(await clusterSeenBy(`localhost:${proxy.port}`, {})).toEqual([`localhost:${proxy.port}`]);
    expect(await clusterSeenBy(broker.bootstrap, {})).toEqual([broker.bootstrap]);
  });

  it("speaks TLS to clients with a certificate of its authority", async () => {
    const { bootstrap, caFile, clientCertFile, clientKeyFile } = broker.tls;
    const ca = readFileSync(caFile), cert = readFileSync(clientCertFile), key = readFileSync(clientKeyFile);
    expect(await clusterSeenBy(bootstrap, { ssl: { ca, cert, key, servername: "localhost" } })).toEqual([bootstrap]);
    await expect(clusterSeenBy(bootstrap, { ssl: { ca, servername: "localhost" } })).rejects.toThrow();
  });

  it.each(["plain", "scram-sha-256", "scram-sha-512"] as const)("knows its user by %s", async (mechanism) => {
    const { bootstrap, username, password } = broker.sasl;
    expect(await clusterSeenBy(bootstrap, { sasl: { mechanism, username, password } as SASLOptions })).toEqual([bootstrap]);
    await expect(clusterSeenBy(bootstrap, { sasl: { mechanism, username, password: "wrong" } as SASLOptions })).rejects.toThrow(/authentication failed/i);
  });

  it("is silent while paused", async () => {
    broker.pause();
    expect(isFrozen(broker.pid)).toBe(true);
    const answer = answers(broker);
    broker.resume();
    expect(await answer).toBe(true);
  });

  it("is killed and comes back with its data on the same port", async () => {
    await keep(broker);
    const { pid } = broker;
    const folder = folderOf(pid);
    await broker.kill();
    expect(tracesOf(folder, [broker.port])).toEqual({ processes: 0, folder: true, listening: [] });
    expect(() => broker.pid).toThrow("does not run");
    await broker.start();
    expect(broker.pid).not.toBe(pid);
    expect(await kept(broker)).toBe("2");
  });

  it("ends in order, and leaves nothing", async () => {
    const folder = folderOf(broker.pid);
    await broker.terminate();
    expect(readFileSync(`${folder}/output.log`, "utf8").trimEnd()).toMatch(/\[BrokerServer id=1\] shut down completed[^]*unregistered$/);
    await broker.stop();
    await expect.poll(() => tracesOf(folder, [broker.port, broker.proxied.port, broker.tls.port, broker.sasl.port])).toEqual(none);
  });

  it("says why it does not start", async () => {
    await expect(kafka({ properties: ["log.segment.bytes=none"] })).rejects.toThrow(/log\.segment\.bytes/);
  });
});

describeOldest(`Kafka ${oldest}`, () => {
  it("runs twice at once, and comes back with its data", async () => {
    const brokers = await Promise.all([kafka({ version: oldest }), kafka({ version: oldest })]);
    const [one] = brokers;
    expect(await Promise.all(brokers.map(answers))).toEqual([true, true]);
    await keep(one);
    await one.kill();
    await one.start();
    expect(await kept(one)).toBe("2");
    const folders = brokers.map(({ pid }) => folderOf(pid));
    await Promise.all(brokers.map((broker) => broker.stop()));
    await expect.poll(() => folders.map((folder) => tracesOf(folder, brokers.map(({ port }) => port)))).toEqual([none, none]);
  });
});
