import { createServer } from "node:http";
import { freePorts } from "@threatbus/testkit";
import { kafka as startBroker, needs, type Kafka } from "@threatbus/services";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { makeHost, newWorld, startHost, type Options } from "./hosts.ts";

const { describe } = await needs("kafka");
type Config = NonNullable<Options["config"]>;

describe("who may come in", () => {
  let broker: Kafka;
  beforeAll(async () => void (broker = await startBroker({ tls: "mutual", sasl: true })));
  afterAll(() => broker.stop());

  const sasl = (mechanism: string, more: Config = {}): Config => {
    const { bootstrap, username, password } = broker.sasl;
    return { "bootstrap.servers": bootstrap, "security.protocol": "sasl_plaintext", "sasl.mechanism": mechanism, "sasl.username": username, "sasl.password": password, ...more };
  };
  const tls = (more: Config = {}): Config => {
    const { bootstrap, caFile, clientCertFile, clientKeyFile } = broker.tls;
    return { "bootstrap.servers": bootstrap, "security.protocol": "ssl", "ssl.ca.location": caFile, "ssl.certificate.location": clientCertFile, "ssl.key.location": clientKeyFile, ...more };
  };

  test.each<[string, () => Config]>([
    ["a password", () => sasl("PLAIN")],
    ["a password, proven by SCRAM-SHA-256", () => sasl("SCRAM-SHA-256")],
    ["a password, proven by SCRAM-SHA-512", () => sasl("SCRAM-SHA-512")],
    ["a certificate of its own", () => tls()],
  ])("with %s", async (_, config) => {
    const topic = newWorld();
    const host = await startHost("", { topic, group_id: topic, config: config() });
    await host.backbone.publish({ topic: "stix2/indicator", id: "sent", payload: Buffer.from("{}") });
    await expect.poll(() => host.frames.map(({ id }) => id)).toEqual(["sent"]);
  });

  /** Starts and gives up as soon as it has said why it cannot, if it does not give up by itself. */
  async function failure(config: Config, more: Options = {}): Promise<{ readonly error: unknown; readonly tries: boolean }> {
    const attempt = new AbortController();
    const host = makeHost("", { topic: newWorld(), ...more, config });
    let over = false;
    const starting = host.start(attempt.signal).then(() => undefined, (thrown: unknown) => thrown).finally(() => (over = true));
    const tries = (): boolean => host.host.entries.some(({ text }) => text.includes("trying again"));
    await expect.poll(() => over || tries()).toBe(true);
    attempt.abort();
    const error = await starting;
    const all = JSON.stringify([error, String((error as Error).stack), host.host.entries]);
    for (const secret of [broker.sasl.password, "wrong-one"]) expect(all).not.toContain(secret);
    return { error, tries: tries() };
  }

  const lasting: [string, () => Config, RegExp, RegExp][] = [
    ["a wrong password", () => sasl("PLAIN", { "sasl.password": "wrong-one" }), /authentication failed/i, /`sasl.password`/],
    ["a wrong password, proven by SCRAM", () => sasl("SCRAM-SHA-256", { "sasl.password": "wrong-one" }), /authentication failed/i, /`sasl.password`/],
    ["a user there is not", () => sasl("SCRAM-SHA-512", { "sasl.username": "nobody" }), /authentication failed/i, /`sasl.username`/],
    ["a certificate nobody knows", () => ({ "bootstrap.servers": broker.tls.bootstrap, "security.protocol": "ssl" }), /certificate/, /`ssl.ca.location`/],
    ["a file there is not", () => tls({ "ssl.ca.location": "/nowhere/ca.pem" }), /`ssl.ca.location` cannot be read/, /ENOENT/],
    ["a key that is none", () => tls({ "ssl.key.location": broker.tls.caFile }), /cannot be used/, /PEM/],
    ["SASL where there is none", () => sasl("PLAIN", { "bootstrap.servers": broker.bootstrap }), /SASL|closed|disconnect/i, /`security.protocol`|`sasl.mechanism`/],
  ];
  test.each(lasting)("%s: the start ends with what to change", async (_, config, message, hint) => {
    expect(await failure(config())).toMatchObject({ error: { code: "CONNECTION_FAILED", message: expect.stringMatching(message) as string, hint: expect.stringMatching(hint) as string } });
  });

  const passing: [string, () => Config | Promise<Config>, RegExp, RegExp][] = [
    ["nobody there", async () => ({ "bootstrap.servers": `127.0.0.1:${(await freePorts(1))[0]}` }), /ECONNREFUSED/, /`bootstrap.servers`/],
    ["a host there is not", () => ({ "bootstrap.servers": "no-such-host.invalid:9092" }), /ENOTFOUND|EAI_AGAIN/, /`bootstrap.servers`/],
    ["plain to a port that speaks TLS", () => ({ "bootstrap.servers": broker.tls.bootstrap }), /./, /`security.protocol`/],
    ["TLS to a port that speaks none", () => ({ ...tls(), "bootstrap.servers": broker.bootstrap }), /./, /`security.protocol`/],
    ["no password where one is asked for", () => ({ "bootstrap.servers": broker.sasl.bootstrap }), /closed/i, /`security.protocol`/],
    ["no certificate where one is asked for", () => ({ "bootstrap.servers": broker.tls.bootstrap, "security.protocol": "ssl", "ssl.ca.location": broker.tls.caFile }), /./, /`ssl.certificate.location`|`security.protocol`/],
    ["a web server", () => web(), /allowed|closed/i, /./],
  ];
  test.each(passing)("%s: it says so, and the attempt ends with it", async (_, config, message, hint) => {
    expect(await failure(await config())).toMatchObject({ error: { code: "CONNECTION_FAILED", message: expect.stringMatching(message) as string, hint: expect.stringMatching(hint) as string } });
  });

  test("a topic that is missing and may not be made", async () => {
    const { error } = await failure({ "bootstrap.servers": broker.bootstrap }, { create_topics: { enabled: false } });
    expect(error).toMatchObject({ code: "CONNECTION_FAILED", message: expect.stringContaining("does not exist") as string, hint: expect.stringContaining("create_topics") as string });
  });

  async function web(): Promise<Config> {
    const server = createServer((_, response) => response.end("hello"));
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    return { "bootstrap.servers": `127.0.0.1:${port}` };
  }
});
