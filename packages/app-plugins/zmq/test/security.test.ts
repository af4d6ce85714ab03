import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBus, isThreatbusError } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { beforeAll, describe, expect, it, afterAll } from "vitest";
import { curveKeyPair, Request, Subscriber, XPublisher } from "zeromq";
import { createKeyFile, zmq } from "../src/index.ts";
import { readAuthorizedKeys, readKeyPair } from "../src/keys.ts";
import { oldFrame, oldGreeting, rawPeer, storm } from "./hostile.ts";
import { frameOf, freePorts, indicator, OldApp, scale, stand, take } from "./stand.ts";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "threatbus-zmq-"))));
afterAll(() => rm(folder, { recursive: true }));

describe("the pub port without CURVE", () => {
  it("gives nobody the messages of another", async () => {
    const { bus, ports } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/");
    const socket = app.listen(channel);
    const thieves = ["", channel.slice(0, 1), channel.slice(0, 31), "indicator", "a".repeat(32)].map((prefix) => app.listen(prefix));
    const old = await rawPeer(ports.pub, oldGreeting);
    await expect.poll(() => old.received().length).toBeGreaterThan(0);
    const greeting = old.received().length;
    for (let n = 0; n < 50; n++) await bus.publish(indicator(n));
    await take(socket, 50);
    // Whatever was sent to a thief would be there by the time a later message reached its owner.
    await bus.publish(indicator(50));
    await take(socket, 1);
    for (const thief of thieves) {
      thief.receiveTimeout = 50;
      await expect(thief.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    }
    expect(old.received().subarray(greeting).includes("indicator")).toBe(false);
  });

  it("gives its owner a part, if asked so", async () => {
    const { bus, ports } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/");
    const socket = app.listen(`${channel}indicator`);
    await bus.publish(indicator(1));
    expect(await take(socket, 1)).toHaveLength(1);
  });

  it("closes a channel with its subscription", async () => {
    const { bus, ports, host } = await stand();
    const app = new OldApp(ports);
    const channel = await app.subscribe("stix2/");
    const socket = app.listen(channel);
    await bus.publish(indicator(1));
    await take(socket, 1);
    await app.ask({ action: "unsubscribe", topic: channel });
    const again = app.listen(channel);
    await bus.publish(indicator(2));
    again.receiveTimeout = socket.receiveTimeout = 50;
    await expect(socket.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    await expect(again.receive()).rejects.toMatchObject({ code: "EAGAIN" });
    expect(host.gauge("zmq_subscriptions")).toBe(0);
  });

  it("names channels nobody can guess", async () => {
    const { ports } = await stand();
    const app = new OldApp(ports);
    const channels = new Set<string>();
    for (let n = 0; n < 50; n++) channels.add(await app.subscribe("stix2/"));
    expect(channels.size).toBe(50);
    const letters = new Set([...channels].join(""));
    expect(letters.size).toBe(26);
  });

  it("keeps channels out of logs and figures", async () => {
    const { bus, ports, host } = await stand({ attach_timeout: 0.1 });
    const channel = await new OldApp(ports).subscribe("stix2/");
    await expect.poll(() => host.gauge("zmq_subscriptions")).toBe(0);
    expect(JSON.stringify([host.entries, bus.stats()])).not.toContain(channel);
  });
});

describe("CURVE", () => {
  async function locked() {
    const secretFile = join(folder, `${crypto.randomUUID()}.key`);
    const serverKey = await createKeyFile(secretFile);
    const friend = curveKeyPair();
    const authorized = join(folder, `${crypto.randomUUID()}.keys`);
    await writeFile(authorized, `# apps\n${friend.publicKey} vast\n\n`);
    const run = await stand({ curve: { secret_key_file: secretFile, authorized_keys_file: authorized } });
    return { ...run, serverKey, friend, security: { curveServerKey: serverKey, curvePublicKey: friend.publicKey, curveSecretKey: friend.secretKey } };
  }

  it("lets listed apps in, through all three ports", async () => {
    const { ports, security, host } = await locked();
    const app = new OldApp(ports, security);
    const channel = await app.subscribe("stix2/");
    const socket = app.listen(channel);
    await app.publish(frameOf(1));
    expect(await take(socket, 1)).toHaveLength(1);
    expect(host.count("zmq_connections_refused")).toBe(0);
  });

  it("keeps everybody else out: nothing read, nothing injected, no request answered", async () => {
    const { bus, ports, security, serverKey, host } = await locked();
    const app = new OldApp(ports, security);
    const channel = await app.subscribe("stix2/");
    const socket = app.listen(channel);
    await app.publish(frameOf(0));
    await take(socket, 1);
    const stranger = curveKeyPair();
    const intruders = [
      {},
      { curveServerKey: serverKey, curvePublicKey: stranger.publicKey, curveSecretKey: stranger.secretKey },
      { curveServerKey: stranger.publicKey, curvePublicKey: security.curvePublicKey, curveSecretKey: security.curveSecretKey },
    ];
    for (const keys of intruders) {
      const [req, sub, pub] = [new Request({ linger: 0, ...keys }), new Subscriber({ linger: 0, ...keys }), new XPublisher({ linger: 0, ...keys })];
      const refused = [req, sub, pub].map((each) => new Promise<void>((resolve) => {
        for (const event of ["handshake:error:auth", "handshake:error:protocol", "handshake:error:other", "disconnect"] as const) each.events.on(event, () => resolve());
      }));
      sub.subscribe("", channel);
      req.connect(`tcp://127.0.0.1:${ports.manage}`);
      sub.connect(`tcp://127.0.0.1:${ports.pub}`);
      pub.connect(`tcp://127.0.0.1:${ports.sub}`);
      await Promise.all(refused);
      await pub.send(frameOf(66));
      await bus.publish(indicator(1));
      await take(socket, 1);
      sub.receiveTimeout = 20;
      await expect(sub.receive()).rejects.toMatchObject({ code: "EAGAIN" });
      for (const each of [req, sub, pub]) each.close();
    }
    const raw = await Promise.all([ports.manage, ports.pub, ports.sub].map((port) => rawPeer(port, Buffer.concat([oldGreeting, oldFrame(frameOf(67))]))));
    await app.publish(frameOf(2));
    await take(socket, 1);
    expect(host.count("zmq_accepted")).toBe(2);
    expect(raw.some(({ received }) => received().includes("indicator"))).toBe(false);
    expect(host.count("zmq_connections_refused")).toBeGreaterThan(0);
  });

  it("guards two instances in one process separately", async () => {
    const [one, other] = [await locked(), await locked()];
    expect(await new OldApp(one.ports, one.security).subscribe("stix2/")).toHaveLength(32);
    expect(await new OldApp(other.ports, other.security).subscribe("stix2/")).toHaveLength(32);
  });
});

describe("key files", () => {
  it("are written for their owner alone, once, and read back", async () => {
    const path = join(folder, "bus.key");
    const publicKey = await createKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readKeyPair(path)).publicKey).toBe(publicKey);
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: "EEXIST" });
  });

  it("are read as pyzmq writes them", async () => {
    const path = join(folder, "python.key_secret");
    const { publicKey, secretKey } = curveKeyPair();
    await writeFile(path, `#   ****  Generated on 2024-01-01 by pyzmq  ****\n#   DO NOT PROVIDE THIS FILE\n\nmetadata\ncurve\n    public-key = "${publicKey}"\n    secret-key = "${secretKey}"\n`, { mode: 0o600 });
    expect(await readKeyPair(path)).toEqual({ publicKey, secretKey });
  });

  it("decode Z85 as its specification does", async () => {
    const path = join(folder, "authorized");
    await writeFile(path, `${"HelloWorld".repeat(4)} an app\n# a comment\n\n`);
    const bytes = "864fd26fb559f75b".repeat(4);
    expect((await readAuthorizedKeys(path)).map((key) => key.toString("hex"))).toEqual([bytes]);
  });

  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ["a missing file", () => Promise.resolve(), /cannot be read/],
    ["a file others can read", async (path) => { await createKeyFile(path); await chmod(path, 0o640); }, /others than its owner/],
    ["a file without keys", (path) => writeFile(path, "curve\n", { mode: 0o600 }), /40 characters of Z85/],
    ["half a pair", async (path) => { await createKeyFile(path); await writeFile(path, (await readFile(path, "utf8")).replace(/.*secret.*/, "")); }, /secret-key/],
  ])("stop the start: %s", async (_name, write, words) => {
    const path = join(folder, crypto.randomUUID());
    await write(path);
    const bus = createBus({ backbones: [inmem()], apps: [zmq({ ...(await freePorts()), curve: { secret_key_file: path, authorized_keys_file: path } })] });
    const thrown: unknown = await bus.start().catch((reason: unknown) => reason);
    expect(isThreatbusError(thrown, "OPTIONS_INVALID")).toBe(true);
    expect((thrown as Error).message).toMatch(words);
    expect((thrown as Error).message).toContain("plugins.apps.zmq.curve.secret_key_file");
  });

  it("point at the line that is no key", async () => {
    const path = join(folder, "bad");
    await writeFile(path, `${curveKeyPair().publicKey}\nnot a key\n`);
    await expect(readAuthorizedKeys(path)).rejects.toThrow(/line 2/);
  });
});

it("survives a storm of hostile connections, and answers through it", async () => {
  const { bus, ports, host } = await stand();
  const app = new OldApp(ports);
  const channel = await app.subscribe("stix2/");
  const socket = app.listen(channel);
  await app.publish(frameOf(0));
  await take(socket, 1);
  const kinds = [
    (n: number) => Buffer.from(Array.from({ length: 200 }, (_, i) => (n * 31 + i * i * 7) & 255)),
    () => Buffer.from("GET / HTTP/1.1\r\nHost: bus\r\n\r\n"),
    () => Buffer.alloc(0),
    () => Buffer.concat([oldGreeting, oldFrame(Buffer.from("stix2/indicator {}")), oldFrame(Buffer.from([1])), oldFrame(Buffer.from([0]))]),
  ];
  let stormy = true;
  const over = storm([ports.manage, ports.pub, ports.sub], Math.round(1_000 * scale), (n) => kinds[n % kinds.length]?.(n) ?? Buffer.alloc(0)).then(() => void (stormy = false));
  let rounds = 0;
  for (let n = 1; stormy || n < 20; n++, rounds++) {
    expect(await app.ask({ action: "heartbeat", topic: channel })).toEqual({ status: "success" });
    await app.publish(frameOf(n));
    expect((await take(socket, 1))[0]).toContain(String(indicator(n).payload));
  }
  await over;
  expect(rounds).toBeGreaterThan(0);
  expect(host.entries.filter(({ level }) => level === "warn").length).toBeLessThan(10);
  expect(bus.stats().subscriptions.find(({ name }) => name.startsWith("zmq"))?.delivered).toBe(rounds + 1);
});
