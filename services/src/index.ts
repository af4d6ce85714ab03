/**
 * Real brokers, and a real Tenzir, for tests and benchmarks.
 *
 * A broker that a test file shares with others and leaves as it was:
 *
 *     const { describe, url } = await brokerForTests("rabbitmq");       // at the top of the file
 *     const { describe, bootstrap } = await brokerForTests("kafka");
 *     describe("confirms", () => { it("…", () => dial(url)) });          // skipped by name, with the reason, where there is no broker
 *
 * A broker that a test breaks:
 *
 *     const { describe } = await needs("rabbitmq");
 *     describe("kill -9", () => {
 *       let broker: Rabbitmq;
 *       beforeAll(async () => void (broker = await rabbitmq()));           // 127.0.0.1:broker.port, broker.url
 *       afterAll(() => broker.stop());
 *       it("…", async () => { await broker.kill(); await broker.start(); await broker.ctl("list_queues"); });
 *     });
 *
 * A Kafka behind a proxy: it sends its clients to the proxy's port, and the plain listener stays for whoever watches.
 *
 *     const target = { host: "127.0.0.1", port: await freePort() };
 *     const proxy = await chaosProxy({ target });
 *     const broker = await kafka({ advertise: { host: proxy.host, port: proxy.port, listen: target.port } });
 *
 * A Tenzir node, of which every test file has its own:
 *
 *     const { describe } = await needs("tenzir");
 *     const node = await tenzir();                                         // node.binary, node.endpoint
 *     await node.run('from_file "/path/eve.json" { read_suricata } | import');
 */
export { requireFever } from "./fever-install.ts";
export { brokerForTests, needs } from "./for-tests.ts";
export type { Needed, SharedBrokers } from "./for-tests.ts";
export { unavailable } from "./kinds.ts";
export type { BrokerKind, ServiceKind } from "./kinds.ts";
export { kafka } from "./kafka.ts";
export type { Kafka, KafkaOptions } from "./kafka.ts";
export { rabbitmq } from "./rabbitmq.ts";
export type { Rabbitmq, RabbitmqOptions, TlsListener } from "./rabbitmq.ts";
export { needsReference, reference, referenceVersion, requireReference } from "./reference.ts";
export type { Reference, ReferenceOptions } from "./reference.ts";
export { installBrokers, shareBrokers } from "./shared.ts";
export type { SharedRun } from "./shared.ts";
export { tenzir } from "./tenzir.ts";
export type { Tenzir, TenzirOptions } from "./tenzir.ts";
export { requireTenzir, tenzirVersion } from "./tenzir-install.ts";
export { certificates } from "./certificates.ts";
export type { Certificates } from "./certificates.ts";
export type { Service } from "./service.ts";
