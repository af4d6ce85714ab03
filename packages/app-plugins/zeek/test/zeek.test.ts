/**
 * With a real Zeek: `THREATBUS_TEST_ZEEK=/path/to/zeek`. `THREATBUS_TEST_ZEEK_SCRIPT` names the script to load instead of this package's, e.g. the first Threat
 * Bus's `threatbus.zeek` (native tests alone).
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, freePorts } from "@threatbus/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { WebSocket } from "ws";
import { eventually } from "./eventually.ts";
import { idOf, indicator, type Options, stand, type Stand } from "./stand.ts";

const zeek = process.env["THREATBUS_TEST_ZEEK"] ?? "";
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const ours = path("../src/threatbus/scripts/__load__.zeek");
const script = process.env["THREATBUS_TEST_ZEEK_SCRIPT"] ?? ours;
const version = zeek === "" ? [0, 0] : execFileSync(zeek, ["--version"], { encoding: "utf8" }).match(/\d+/g)?.map(Number) ?? [0, 0];
const since = (major: number, minor: number): boolean => (version[0] ?? 0) > major || (version[0] === major && (version[1] ?? 0) >= minor);

if (zeek === "") process.stdout.write("zeek: the tests with a real Zeek are left out: THREATBUS_TEST_ZEEK names none\n");


/** One DNS query for `evil.example`, as a pcap file. */
function pcap(): Buffer {
  const name = Buffer.from("\x04evil\x07example\0", "latin1");
  const dns = Buffer.concat([Buffer.from("123401000001000000000000", "hex"), name, Buffer.from("00010001", "hex")]);
  const udp = Buffer.concat([Buffer.from([0xc3, 0x50, 0, 53, 0, 8 + dns.length, 0, 0]), dns]);
  const ip = Buffer.concat([Buffer.from([0x45, 0, 0, 20 + udp.length, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 192, 0, 2, 53]), udp]);
  const frame = Buffer.concat([Buffer.from("020000000002020000000001" + "0800", "hex"), ip]);
  const head = Buffer.alloc(24), packet = Buffer.alloc(16);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(65_535, 16);
  head.writeUInt32LE(1, 20);
  packet.writeUInt32LE(1_714_557_600, 0);
  packet.writeUInt32LE(frame.length, 8);
  packet.writeUInt32LE(frame.length, 12);
  return Buffer.concat([head, packet, frame]);
}

interface Running {
  readonly child: ChildProcess;
  said(): string;
}

/** Runs Zeek in a folder of its own with these files, ended with the test. */
function start(args: readonly string[], { files = {}, env = {} }: { files?: Readonly<Record<string, string | Buffer>>; env?: Readonly<Record<string, string>> } = {}): Running {
  const folder = mkdtempSync(join(tmpdir(), "threatbus-zeek-"));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const child = spawn(zeek, args, { cwd: folder, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += String(chunk)));
  onTestFinished(async () => {
    const gone = new Promise((resolve) => child.once("exit", resolve));
    if (child.exitCode === null && child.kill("SIGKILL")) await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  return { child, said: () => said };
}

/** A Zeek that reads the query once it has an indicator. */
function run(...args: readonly string[]): Running {
  return start(["-C", "-r", "query.pcap", ...args, script, path("zeek/harness.zeek")], { files: { "query.pcap": pcap() } });
}

const pattern = "[domain-name:value = 'evil.example']";

/** What `websocat` does: passes on what either end says, as text, until one of them goes. Tries until the first answers. */
async function bridged(from: string, to: string): Promise<void> {
  for (;;) {
    const zeekEnd = new WebSocket(from, { perMessageDeflate: false, skipUTF8Validation: true });
    onTestFinished(() => zeekEnd.terminate());
    if (!(await new Promise((resolve) => zeekEnd.once("open", () => resolve(true)).once("error", () => resolve(false))))) continue;
    const busEnd = new WebSocket(to, { perMessageDeflate: false, skipUTF8Validation: true });
    onTestFinished(() => busEnd.terminate());
    for (const [one, other] of [[zeekEnd, busEnd], [busEnd, zeekEnd]] as const) {
      one.on("message", (data: Buffer) => other.send(data, { binary: false }));
      one.once("close", () => other.close());
    }
    return;
  }
}

/** Intel in, a match on the pcap, the sighting out, the removal in, and nothing more seen of it. */
async function job({ bus, host, sightings }: Stand, said: () => string): Promise<void> {
  await eventually(() => host.gauge("zeek_subscribed"), 1);
  await bus.publish(indicator(1, pattern));
  await eventually(() => said().includes("ADD DOMAIN evil.example"), true);
  await eventually(() => sightings.map(({ sighting_of_ref }) => sighting_of_ref), [idOf(1)]);
  expect(sightings[0]).toMatchObject({ x_threatbus_sighting_context: { noisy: false } });
  await bus.publish(indicator(1, pattern, { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }));
  await eventually(() => said().includes("REMOVE DOMAIN evil.example"), true);
  // A second indicator, and its sighting, come after all that the first could still have set off.
  await bus.publish(indicator(2, "[domain-name:value = 'other.example']", {}));
  await bus.publish(indicator(2, "[domain-name:value = 'other.example']", { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }));
  await eventually(() => said().includes("REMOVE DOMAIN other.example"), true);
  expect(sightings).toHaveLength(1);
  expect(host.entries.filter(({ level }) => level === "error")).toEqual([]);
}

describe.skipIf(zeek === "")(`a real Zeek ${version.join(".")} (THREATBUS_TEST_ZEEK)`, () => {
  const native = (port: number): string[] => [`Tenzir::broker_port=${port}/tcp`];
  const webSocket = (port: number): Options => ({ listen: false, websocket: [{ url: `ws://127.0.0.1:${port}` }] });
  /** A Zeek that opens its WebSocket server there. */
  const opened = (port: number): string[] => [
    ...(since(8, 1) ? ["frameworks/cluster/backend/broker"] : []), "Broker::disable_ssl=T", 'Tenzir::transport="websocket"', `Tenzir::listen_port=${port}/tcp`,
  ];

  it.each([["plain", ["Broker::disable_ssl=T"]], ["anonymous TLS", ["Broker::disable_ssl=F"]]])("peers natively, %s", async (_, args) => {
    const on = await stand();
    await job(on, run(...args, ...native(on.port)).said);
  });

  it.each([["plain", "Broker::disable_ssl=T"], ["anonymous TLS", "Broker::disable_ssl=F"]])("peers again after Zeek was restarted, and after Threat Bus was, %s", async (_, tls) => {
    const on = await stand();
    const first = run(tls, ...native(on.port));
    await eventually(() => on.host.gauge("zeek_subscribed"), 1);
    first.child.kill("SIGTERM");
    await eventually(() => on.host.gauge("zeek_connected"), 0);
    const second = run(tls, ...native(on.port));
    await eventually(() => on.host.gauge("zeek_connected"), 1);
    await on.bus.stop();
    await job(await stand({ port: on.port }), second.said);
  });

  it.skipIf(script !== ours)("keeps several indicators of one value apart, and goes on seeing it while one is left", async () => {
    const on = await stand();
    const { said } = run("Broker::disable_ssl=T", ...native(on.port));
    await eventually(() => on.host.gauge("zeek_subscribed"), 1);
    for (const n of [1, 2]) await on.bus.publish(indicator(n, pattern));
    await eventually(() => said().split("ADD DOMAIN evil.example").length, 3);
    // The harness looks for the value after each removal.
    await on.bus.publish(indicator(1, pattern, { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }));
    await eventually(() => on.sightings.at(-1)?.sighting_of_ref, idOf(2));
    const before = on.sightings.length;
    await on.bus.publish(indicator(2, pattern, { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }));
    await eventually(() => said().split("REMOVE DOMAIN evil.example").length, 3);
    // A third one comes after all that the second could still have set off.
    for (const more of [{}, { x_threatbus_update: "REMOVE", modified: "2024-06-01T00:00:00Z" }]) await on.bus.publish(indicator(3, "[domain-name:value = 'other.example']", more));
    await eventually(() => said().includes("REMOVE DOMAIN other.example"), true);
    expect(on.sightings.slice(before).filter(({ sighting_of_ref }) => sighting_of_ref === idOf(2))).toEqual([]);
  });

  it.skipIf(script !== ours)("takes no subnet that is none, or holds all of IPv4", async () => {
    const { said, child } = start([script, path("zeek/values.zeek")]);
    await eventually(() => child.exitCode !== null, true);
    const taken = [...said().matchAll(/^\[(.*)\] ([TF])$/gm)];
    expect(taken).toHaveLength(13);
    expect(taken.filter(([, , answer]) => answer === "T").map(([, value]) => value)).toEqual(["192.0.2.0/24", "2001:db8::/32", "8000::/1", "::/96"]);
  });

  it.skipIf(script !== ours)("of a cluster, subscribes once, when it is dialled and its nodes are too", async () => {
    const [port = 0, manager = 0, worker = 0] = await freePorts(3);
    const layout = `redef Cluster::nodes = {
      ["manager"] = [$node_type=Cluster::MANAGER, $ip=127.0.0.1, $p=${manager}/tcp],
      ["worker-1"] = [$node_type=Cluster::WORKER, $ip=127.0.0.1, $p=${worker}/tcp, $manager="manager"],
    };`;
    const backend = since(8, 1) ? ["frameworks/cluster/backend/broker"] : [];
    const node = (name: string): Running => start(
      [...backend, "Broker::disable_ssl=T", 'Tenzir::transport="listen"', `Tenzir::listen_port=${port}/tcp`, "exit_only_after_terminate=T", script, path("zeek/cluster.zeek")],
      { files: { "cluster-layout.zeek": layout }, env: { CLUSTER_NODE: name } },
    );
    const { host } = await stand({ listen: false, peers: [{ host: "127.0.0.1", port, tls: "off" }] });
    const { said } = node("manager");
    node("worker-1");
    await eventually(() => said().includes("settled worker-1"), true);
    await eventually(() => host.gauge("zeek_subscribed"), 1);
    expect(host.entries.filter(({ text }) => text === "a Zeek subscribed")).toHaveLength(1);
  });

  it.skipIf(script !== ours)("is dialled", async () => {
    const port = await freePort();
    const zeeks = run("Broker::disable_ssl=T", 'Tenzir::transport="listen"', `Tenzir::listen_port=${port}/tcp`);
    await job(await stand({ listen: false, peers: [{ host: "127.0.0.1", port, tls: "off" }] }), zeeks.said);
  });

  it.skipIf(script !== ours)("is connected to over WebSocket, and again after it was restarted", async () => {
    const port = await freePort();
    const args = opened(port);
    const on = await stand(webSocket(port));
    const first = run(...args);
    await eventually(() => on.host.gauge("zeek_subscribed"), 1);
    first.child.kill("SIGTERM");
    await eventually(() => on.host.gauge("zeek_connected"), 0);
    await job(on, run(...args).said);
  });

  it.skipIf(script !== ours)("is connected to over WebSocket again after Threat Bus was restarted", async () => {
    const port = await freePort();
    const on = await stand(webSocket(port));
    const { said } = run(...opened(port));
    await eventually(() => on.host.gauge("zeek_subscribed"), 1);
    await on.bus.stop();
    await job(await stand(webSocket(port)), said);
  });

  it.skipIf(script !== ours)("comes through a bridge", async () => {
    const [port = 0, bridge = 0] = await freePorts(2);
    const on = await stand({ listen: false, bridge: { port: bridge } });
    const { said } = run(...opened(port));
    void bridged(`ws://127.0.0.1:${port}/v1/messages/json`, `ws://127.0.0.1:${bridge}`);
    await job(on, said);
  });

  it.skipIf(script !== ours || !since(8, 1))("without a cluster backend is told what is missing", async () => {
    const port = await freePort();
    run('Tenzir::transport="websocket"', `Tenzir::listen_port=${port}/tcp`);
    const { host } = await stand({ listen: false, handshake_timeout: 2, websocket: [{ url: `ws://127.0.0.1:${port}` }] });
    await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).includes("@load frameworks/cluster/backend/broker")), true);
  });
});
