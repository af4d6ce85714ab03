import { readFileSync, readdirSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { connect as connectTls, type ConnectionOptions } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { answersAmqp } from "../src/amqp-probe.ts";
import { needs, rabbitmq, type Rabbitmq } from "../src/index.ts";
import { isFrozen } from "../src/processes.ts";
import { folderOf, listenersOf, loopbacks, none, tracesOf } from "./traces.ts";

const { describe } = await needs("rabbitmq");

const answers = ({ port }: { port: number }): Promise<boolean> => answersAmqp(connect(port, "127.0.0.1"));
const secretly = ({ port, caFile }: Rabbitmq["tls"], options: ConnectionOptions = {}): Promise<boolean> =>
  answersAmqp(connectTls({ host: "localhost", port, ca: readFileSync(caFile), ...options }));

describe("RabbitMQ", () => {
  let one: Rabbitmq, other: Rabbitmq;
  beforeAll(async () => {
    [one, other] = await Promise.all([rabbitmq({ tls: true }), rabbitmq({ tls: "mutual", conf: ["default_user = somebody", "loopback_users = none"] })]);
  });
  afterAll(async () => {
    await Promise.all([one?.stop(), other?.stop()]);
  });

  it("runs twice at once, each with its own settings", async () => {
    expect(await Promise.all([one, other].map(answers))).toEqual([true, true]);
    expect(one.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(await Promise.all([one, other].map(({ ctl }) => ctl("--quiet", "list_users")))).toEqual([expect.stringMatching(/^guest\t/m), expect.stringMatching(/^somebody\t/m)]);
  });

  it("listens on the loopback only", () => {
    const found = listenersOf(folderOf(one.pid));
    expect(found.map(({ port }) => port)).toEqual(expect.arrayContaining([one.port, one.tls.port]));
    expect(found.filter(({ address }) => !loopbacks.includes(address))).toEqual([]);
  });

  it("speaks TLS to whoever trusts its authority", async () => {
    expect(await secretly(one.tls)).toBe(true);
    expect(await secretly(one.tls, { ca: [] })).toBe(false);
  });

  it("asks for a client's certificate", async () => {
    const { clientCertFile, clientKeyFile } = other.tls;
    expect(await secretly(other.tls, { cert: readFileSync(clientCertFile), key: readFileSync(clientKeyFile) })).toBe(true);
    expect(await secretly(other.tls)).toBe(false);
  });

  it("is silent while paused", async () => {
    one.pause();
    expect(isFrozen(one.pid)).toBe(true);
    const answer = answers(one);
    one.resume();
    expect(await answer).toBe(true);
  });

  it("is killed and comes back with its data on the same port", async () => {
    await one.ctl("add_vhost", "kept");
    const { pid } = one;
    await one.kill();
    expect(tracesOf(folderOf(other.pid), [one.port]).listening).toEqual([]);
    expect(() => one.pid).toThrow("does not run");
    await one.start();
    expect(one.pid).not.toBe(pid);
    expect(await one.ctl("--quiet", "list_vhosts")).toMatch(/^kept$/m);
  });

  it("ends in order, and leaves nothing", async () => {
    const folders = [one, other].map(({ pid }) => folderOf(pid));
    const ports = [one, other].flatMap(({ port, tls }) => [port, tls.port]);
    await Promise.all([one.terminate(), other.terminate()]);
    expect(readFileSync(`${folders[0]}/output.log`, "utf8")).toMatch(/SIGTERM/);
    await Promise.all([one.stop(), other.stop()]);
    await expect.poll(() => folders.map((folder) => tracesOf(folder, ports))).toEqual([none, none]);
  });

  it("says why it does not start, and leaves nothing", async () => {
    await expect(rabbitmq({ conf: ["no_such_setting = 1"] })).rejects.toThrow(/^RabbitMQ did not start: it ended with exit code \d+\n[^]*no_such_setting/);
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith(`threatbus-service-${process.pid}-`))).toEqual([]);
  });
});
