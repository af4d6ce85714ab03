import { createServer } from "node:net";
import { createBus, isThreatbusError } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveHost } from "../src/address.ts";
import { zmq } from "../src/index.ts";
import { freePorts, OldApp, stand } from "./stand.ts";

const failure = (starting: Promise<unknown>): Promise<unknown> => starting.then(() => undefined, (thrown: unknown) => thrown);

describe("start", () => {
  it.each(["manage", "pub", "sub"] as const)("names the port and the option when %s is taken, and keeps no other port", async (option) => {
    const ports = await freePorts();
    const other = createServer().listen(ports[option], "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const bus = createBus({ backbones: [inmem()], apps: [zmq(ports)] });
    const thrown = await failure(bus.start());
    expect(isThreatbusError(thrown, "PORT_IN_USE")).toBe(true);
    expect(thrown).toMatchObject({ plugin: "zmq", message: expect.stringContaining(String(ports[option])) as string, hint: expect.stringContaining(`plugins.apps.zmq.${option}`) as string });
    other.close();
    const again = createBus({ backbones: [inmem()], apps: [zmq(ports)] });
    await again.start();
    await again.stop();
  });

  it.each(["no.such.name.invalid", "192.0.2.1"])("says that %s is no address of this machine", async (host) => {
    const bus = createBus({ backbones: [inmem()], apps: [zmq({ ...(await freePorts()), host })] });
    const thrown = await failure(bus.start());
    expect(isThreatbusError(thrown, "ADDRESS_INVALID")).toBe(true);
    expect(thrown).toMatchObject({ hint: expect.stringContaining("plugins.apps.zmq.host") as string });
  });

  it("binds to a name", async () => {
    const { ports, host } = await stand({ host: "localhost" });
    expect(await new OldApp(ports).subscribe("stix2/")).toMatch(/^[a-z]{32}$/);
    expect(host.entries.filter(({ level }) => level === "warn")).toEqual([]);
  });

  it("tells loopback from the rest", async () => {
    expect(await resolveHost("127.0.0.1")).toEqual({ host: "127.0.0.1", ipv6: false, loopback: true });
    expect(await resolveHost("::1")).toEqual({ host: "[::1]", ipv6: true, loopback: true });
    expect(await resolveHost("[::1]")).toEqual({ host: "[::1]", ipv6: true, loopback: true });
    expect(await resolveHost("*")).toMatchObject({ loopback: false });
    expect(await resolveHost("::")).toMatchObject({ loopback: false, ipv6: true });
    expect(await resolveHost("0.0.0.0")).toMatchObject({ loopback: false });
  });

  it("warns of open ports without CURVE", async () => {
    const { host } = await stand({ host: "0.0.0.0" });
    expect(host.entries).toContainEqual(expect.objectContaining({ level: "warn", text: expect.stringContaining("curve") as string }));
  });

  it("gives each of two instances its own apps", async () => {
    const [one, other] = [await stand(), await stand()];
    const channel = await new OldApp(one.ports).subscribe("stix2/");
    expect(await new OldApp(one.ports).ask({ action: "heartbeat", topic: channel })).toEqual({ status: "success" });
    expect(await new OldApp(other.ports).ask({ action: "heartbeat", topic: channel })).toMatchObject({ status: "error" });
  });
});
