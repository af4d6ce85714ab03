import { MetricSet } from "@threatbus/core";
import fc from "fast-check";
import { createServer, type AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { exposition, sampleExposition, serveFigures } from "../src/index.ts";

it("serves figures and health under both names, and says which port is taken", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  const { port } = taken.address() as AddressInfo;
  const shown: string[] = [];
  const served = { metrics: () => shown[0], health: () => ({ healthy: shown.length > 0, text: "words" }) };
  await expect(serveFigures({ host: "127.0.0.1", port }, served)).rejects.toMatchObject({ code: "PORT_IN_USE" });
  await new Promise((resolve) => taken.close(resolve));
  const server = await serveFigures({ host: "127.0.0.1", port }, served);
  const ask = async (path: string, method = "GET"): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}`, { method })).status;
  expect([await ask("/metrics"), await ask("/health"), await ask("/healthz")]).toEqual([503, 503, 503]);
  shown.push(exposition("a_total", "counter", "Words.", [[{}, 1]]));
  expect([await ask("/metrics?x"), await ask("/health"), await ask("/healthz"), await ask("/"), await ask("/metrics", "POST")]).toEqual([200, 200, 200, 404, 405]);
  await server.close();
  await expect(ask("/metrics")).rejects.toThrow();
});

it("writes any name and label as one line that Prometheus can read", () => {
  const line = /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\})? -?\d/;
  fc.assert(fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (name, label, value) => {
    const metrics = new MetricSet();
    metrics.counter(name, { [label]: value }).add(2);
    metrics.counter(name, {}).add();
    const rows = sampleExposition("x_", "Words.", metrics.samples()).join("").split("\n").filter((row) => !row.startsWith("#") && row !== "");
    expect(rows.length).toBe(2);
    for (const row of rows) expect(row).toMatch(line);
  }));
});
