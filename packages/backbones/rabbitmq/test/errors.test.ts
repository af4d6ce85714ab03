import { once } from "node:events";
import { createServer } from "node:net";
import { connect as amqp } from "amqplib";
import { isThreatbusError, systemClock } from "@threatbus/core";
import { needs, rabbitmq as startBroker, type Rabbitmq } from "@threatbus/services";
import { fakeHost, freePort } from "@threatbus/testkit";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { rabbitmq } from "../src/index.ts";
import type { Options } from "./options.ts";
import { connectionOf, passing } from "./options.ts";

const { describe } = await needs("rabbitmq");
const password = "s3cret-and-long";

describe("errors that say what to do", () => {
  let broker: Rabbitmq;
  beforeAll(async () => {
    broker = await startBroker({ tls: "mutual" });
    await broker.ctl("add_user", "tom", password);
    await broker.ctl("add_vhost", "closed");
    await broker.ctl("set_permissions", "tom", "^nothing$", "^nothing$", "^nothing$");
  });
  afterAll(() => broker.stop());

  /** Starts a host that cannot start, and gives up as soon as it has said why, if it does not give up by itself; whatever it says goes without the password. */
  async function failure(options: Options): Promise<{ code: string; message: string; hint: string | undefined; warned: string[] }> {
    const host = fakeHost({ name: "rabbitmq", clock: systemClock });
    const backbone = rabbitmq({ ...connectionOf(broker.url), ...options }).create(host);
    const attempt = new AbortController();
    let over = false;
    const starting = backbone.start(async () => undefined, attempt.signal).then(() => undefined, (error: unknown) => error).finally(() => (over = true));
    await expect.poll(() => over || host.entries.length > 0).toBe(true);
    attempt.abort();
    const thrown = await starting;
    await backbone.stop();
    if (!isThreatbusError(thrown)) throw new Error(`no ThreatbusError: ${String(thrown)}`);
    expect(JSON.stringify([thrown, thrown.message, thrown.hint, String(thrown.cause), thrown.stack, host.entries])).not.toContain(password);
    return { code: thrown.code, message: thrown.message, hint: thrown.hint, warned: host.entries.map(({ fields }) => String(fields["reason"])) };
  }

  const cases: readonly (readonly [string, () => Options, RegExp, RegExp])[] = [
    ["a wrong password", () => ({ username: "tom", password: `${password}!` }), /refuses the user/, /username and password/],
    ["guest where guest may not", () => ({ username: "nobody", password }), /refuses the user/, /username and password/],
    ["a virtual host that is not there", () => ({ vhost: "typo" }), /no virtual host "typo"/, /vhost/],
    ["a virtual host for others", () => ({ username: "tom", password, vhost: "closed" }), /no virtual host "closed", or the user may not use it/, /set_permissions/],
    ["no permission to declare", () => ({ username: "tom", password }), /does not let the user/, /set_permissions/],
    ["a certificate of an unknown authority", () => ({ port: broker.tls.port, tls: {} }), /not trusted/, /tls\.ca_file/],
    ["no certificate where one is asked for", () => ({ port: broker.tls.port, tls: { ca_file: broker.tls.caFile } }), /certificate|ended the connection/, /tls\.cert_file|log/],
    ["TLS to a port without", () => ({ tls: {} }), /does not speak TLS/, /TLS port/],
  ];
  test.each(cases)("%s: at once", async (_, options, text, hint) => {
    const { code, message, hint: told } = await failure(options());
    expect(code).toBe("CONNECTION_FAILED");
    expect(message).toMatch(text);
    expect(told).toMatch(hint);
  });

  test("no TLS to a port with it", async () => {
    const { message, hint } = await failure({ port: broker.tls.port });
    expect(message).toMatch(/ended the connection|does not answer/);
    expect(hint).toMatch(/tls|port/);
  });

  test("an unknown host, after trying as long as it may", async () => {
    const { message, warned } = await failure({ host: "broker.invalid" });
    expect(message).toMatch(/there is no host broker\.invalid/);
    expect(warned.length).toBe(1);
  });

  test("nobody there", async () => {
    expect(await failure({ port: await freePort() })).toMatchObject({ code: "CONNECTION_FAILED", message: expect.stringContaining("nobody answers at") as string });
  });

  test.each([["something else", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", /is no RabbitMQ/], ["somebody silent", "", /does not answer in time/]] as const)("%s at that port", async (_, answer, text) => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", () => answer !== "" && socket.write(answer));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { message } = await failure({ port: (server.address() as { port: number }).port, ...(answer === "" ? { connect_timeout: 0.4 } : {}) });
    expect(message).toMatch(text);
  });

  test.each([
    ["queue.max_items", { max_items: 5 }],
    ["queue.lazy", { lazy: false }],
    ["queue.durable", { durable: false }],
    ["queue.auto_delete", { auto_delete: true }],
    ["queue.type", { type: "quorum" }],
    ["queue.dead_letter_exchange", { dead_letter_exchange: "letters" }],
    ["queue.overflow", { max_items: 7, overflow: "reject_publish" }, { max_items: 7 }],
  ] as const)("a queue that is there with another %s: the setting is named", async (option, wanted: Options["queue"], before: Options["queue"] = {}) => {
    const name = `changed-${option}`;
    const first = rabbitmq({ ...connectionOf(broker.url), exchange_name: name, queue: { name_suffix: name, ...before } }).create(fakeHost({ clock: systemClock }));
    await first.start(async () => undefined, AbortSignal.timeout(60_000));
    await first.stop();
    const { code, message, hint } = await failure({ exchange_name: name, queue: { name_suffix: name, ...wanted } });
    expect([code, message.split(":")[0]]).toEqual(["OPTIONS_INVALID", option]);
    expect(hint).toContain(`delete_queue threatbus.${name}`);
  });

  test("an exchange of another type, and one whose durability was asked for and is another", async () => {
    const connection = await amqp(broker.url);
    const channel = await connection.createChannel();
    await channel.assertExchange("a-topic", "topic");
    await channel.assertExchange("passing", "fanout", { durable: false });
    await connection.close();
    expect(await failure({ ...passing("a-topic"), exchange: {} })).toMatchObject({ code: "OPTIONS_INVALID", message: expect.stringContaining("no fanout exchange") as string });
    expect(await failure({ ...passing("passing"), exchange: { durable: true } })).toMatchObject({ code: "OPTIONS_INVALID", message: expect.stringContaining("exchange.durable") as string });
  });

  test("files of TLS that cannot be read", async () => {
    expect(await failure({ tls: { ca_file: "/nowhere/ca.pem" } })).toMatchObject({ code: "OPTIONS_INVALID", message: expect.stringMatching(/^tls\.ca_file cannot be read/) as string });
  });

  test("with TLS and a certificate of its own it works", async () => {
    const { port, caFile, clientCertFile, clientKeyFile } = broker.tls;
    const backbone = rabbitmq({ ...connectionOf(broker.url), ...passing("over-tls"), port, tls: { ca_file: caFile, cert_file: clientCertFile, key_file: clientKeyFile } }).create(fakeHost({ clock: systemClock }));
    const got: string[] = [];
    await backbone.start(async ({ id }) => void got.push(id), AbortSignal.timeout(60_000));
    await backbone.publish({ topic: "stix2/x-any", id: "over-tls", payload: Buffer.from("{}") });
    await expect.poll(() => got).toEqual(["over-tls"]);
    await backbone.stop();
  });
});
