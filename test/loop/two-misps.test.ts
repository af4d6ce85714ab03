/** Two MISPs in one configuration file, with the program as people run it. All of it is real but MISP. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fakeMisp, freePorts, mispFeed, type FakeMisp, type MispFeed } from "@threatbus/testkit";
import { connect, type BusIndicator, type Client, type Timestamp } from "@threatbus/zmq-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const program = join(import.meta.dirname, "..", "..", "packages", "cli", "bin", "threatbus.js");

describe("two MISPs in one configuration file", () => {
  const folder = mkdtempSync(join(tmpdir(), "threatbus-two-"));
  const started: ChildProcess[] = [];
  let feeds: MispFeed[], apis: FakeMisp[], ports: number[], client: Client;

  function threatbus(...args: readonly string[]): { readonly child: ChildProcess; readonly output: () => string } {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
    started.push(child);
    return { child, output: () => output };
  }

  beforeAll(async () => {
    ports = await freePorts(3);
    feeds = await Promise.all([mispFeed(), mispFeed()]);
    apis = await Promise.all(feeds.map((feed) => fakeMisp({ feed })));
    const [manage, pub, sub] = ports;
    const misp = apis.map(({ url, key }, n) => ({ instance: `misp-${n}`, api: { host: url, key }, zmq: { host: "127.0.0.1", port: feeds[n]?.port } }));
    writeFileSync(join(folder, "config.yaml"), JSON.stringify({ plugins: { backbones: { inmem: {} }, apps: { zmq: { manage, pub, sub }, misp } } }));
  });

  afterAll(async () => {
    await client?.close();
    for (const child of started.filter(({ exitCode }) => exitCode === null)) {
      child.kill("SIGTERM");
      await once(child, "exit");
    }
    await Promise.all([...(apis ?? []), ...(feeds ?? [])].map((service) => service.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  it("are both looked at by the doctor", async () => {
    const { child, output } = threatbus("doctor", "--json");
    const closed = once(child, "close");
    await Promise.all(feeds.map(async (feed) => {
      await feed.joined("misp_json_self");
      await feed.send("misp_json_self", { status: "x", uptime: 10 });
    }));
    expect(await closed, output()).toEqual([0, null]);
    const found = output().trimEnd().split("\n").map((line) => JSON.parse(line) as { plugin: string; status: string; text: string });
    for (const name of ["misp-0", "misp-1"]) {
      const its = found.filter(({ plugin }) => plugin === name);
      expect(its.map(({ text }) => text).join("\n")).toMatch(/may add sightings[^]*lets us in[^]*sign of life/);
      expect(its.filter(({ status }) => status === "problem")).toEqual([]);
    }
    for (const { key } of apis) expect(output()).not.toContain(key);
  });

  it("both give their indicators, and each gets the sightings of its own", async () => {
    const { output } = threatbus();
    await Promise.all(feeds.map((feed) => feed.joined("misp_json_attribute")));
    await expect.poll(output).toContain("is running");
    client = await connect({ manage: ports[0] as number, linger: 0 });
    const subscription = await client.subscribe("stix2/indicator");
    const indicators = new Map<string, BusIndicator>();
    void (async () => {
      for await (const message of subscription) if (message.type === "indicator") indicators.set(message.body.pattern, message.body);
    })();
    const values = ["198.51.100.1", "198.51.100.2"], patterns = values.map((value) => `[ipv4-addr:value = '${value}']`);
    const attributes = await Promise.all(apis.map((api, n) => api.add(api.addEvent(), { type: "ip-dst", value: values[n] as string })));
    await expect.poll(() => [...indicators.keys()].sort()).toEqual(patterns);
    const now = new Date().toISOString() as Timestamp;
    for (const pattern of patterns) {
      const indicator = indicators.get(pattern) as BusIndicator;
      await client.publish({ type: "sighting", spec_version: "2.1", id: `sighting--${randomUUID()}`, created: now, modified: now, sighting_of_ref: indicator.id, x_threatbus_indicator: indicator });
    }
    await expect.poll(() => apis.map(({ library }) => library.sightings.map((sighting) => sighting.attribute_id))).toEqual(attributes.map(({ id }) => [id]));
  });
});
