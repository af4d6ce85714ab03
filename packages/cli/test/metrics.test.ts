import { connect } from "@threatbus/zmq-client";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { prometheusText } from "../src/prometheus.ts";
import { freePorts, indicator, on, Workshop } from "./program.ts";


let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(() => workshop.clean());

/** Sums of the samples of each metric, and each sample by its whole name. */
function samples(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const line of text.split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name = "", labels = "", value = ""] = /^(threatbus_[a-z_]+)(\{.*\})? (\S+)$/.exec(line) ?? [];
    expect(name, line).not.toBe("");
    found.set(name, (found.get(name) ?? 0) + Number(value));
    if (labels !== "") found.set(name + labels, Number(value));
  }
  return found;
}

test("/metrics balances with what really arrived; /health tells whether the bus runs", async () => {
  const ports = await freePorts(), { manage: port } = await freePorts();
  const program = workshop.start([...on(ports), "--set", `metrics.port=${port}`]);
  await expect.poll(() => program.stdout).toContain(`metrics at http://127.0.0.1:${port}/metrics`);
  const url = `http://127.0.0.1:${port}`;
  const client = await connect({ manage: ports.manage });
  const subscription = await client.subscribe("stix2/indicator");
  for (let n = 0; n < 20; n++) await client.publish(indicator(n) as never);
  await client.publish({ topic: "stix2/campaign", payload: JSON.stringify({ ...indicator(1), type: "campaign", id: "campaign--00000000-0000-4000-8000-000000000000", name: "c" }) });
  await client.publish({ topic: "stix2/indicator", payload: "{}" });
  let received = 0;
  for await (const _ of subscription) if (++received === 20) break;

  await expect.poll(async () => samples(await (await fetch(`${url}/metrics`)).text()).get("threatbus_published_total")).toBe(21);
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const found = samples(await response.text());
  const of = (name: string): number | undefined => found.get(`threatbus_${name}`);
  expect(of("up")).toBe(1);
  expect(of("arrived_total")).toBe(of("frames_total"));
  expect(of('frames_total{outcome="routed"}')).toBe(20);
  expect(of('frames_total{outcome="unmatched"}')).toBe(1);
  expect(of("subscription_delivered_total")).toBe(received);
  expect(of("subscription_received_total")).toBe(
    ["delivered_total", "refused_total", "superseded_total", "dropped_total", "waiting"].reduce((sum, name) => sum + (of(`subscription_${name}`) ?? Number.NaN), 0),
  );
  expect(of("resident_memory_bytes")).toBeGreaterThan(1e6);
  expect(of("log_dropped_total")).toBe(0);

  expect((await fetch(`${url}/health`)).status).toBe(200);
  expect((await fetch(`${url}/`)).status).toBe(404);
  expect((await fetch(`${url}/metrics`, { method: "POST", body: "x" })).status).toBe(405);
  await client.close();
  program.child.kill("SIGTERM");
  expect(await program.ended).toEqual({ code: 0, signal: null });
});

test("its port is taken: exit 69, naming port and option, and no port of the bus is opened", async () => {
  const ports = await freePorts(), taken = await workshop.occupy();
  const { code, stderr } = await workshop.run([...on({ ...ports, manage: taken }), "--set", `metrics.port=${taken}`]);
  expect(code).toBe(69);
  expect(stderr).toContain(`port ${taken} on 127.0.0.1 is taken`);
  expect(stderr).toContain("metrics.port");
  expect(stderr).not.toContain("plugins.apps.zmq");
});

test("a host that is none: exit 78", async () => {
  const { code, stderr } = await workshop.run([...on(await freePorts()), "--set", "metrics.port=9100", "--set", "metrics.host=no-such-host.invalid"]);
  expect(code).toBe(78);
  expect(stderr).toContain("metrics.host");
});

test("names and labels from plugins cannot break the format", () => {
  const bus = createBus({ backbones: [inmem()] });
  const text = prometheusText(
    {
      ...bus.stats(),
      plugins: {
        'a"b\\c\nd': [
          { name: "refused-frames", labels: { "rea son": '"}\n# TYPE x counter' }, kind: "counter", value: 3 },
          { name: "open", labels: {}, kind: "gauge", value: Number.NaN },
        ],
        other: [{ name: "refused-frames", labels: {}, kind: "counter", value: 4 }],
      },
    },
    { logDropped: 0, memory: 1, loopDelay: 0 },
  );
  expect(text).toContain('threatbus_plugin_refused_frames_total{rea_son="\\"}\\n# TYPE x counter",plugin="a\\"b\\\\c\\nd"} 3\n');
  expect(text).toContain('threatbus_plugin_open{plugin="a\\"b\\\\c\\nd"} NaN\n');
  expect(text.match(/^# TYPE threatbus_plugin_refused_frames_total counter$/gm)).toHaveLength(1);
  for (const line of text.trimEnd().split("\n")) expect(line).toMatch(/^(?:# (?:HELP|TYPE) threatbus_\w+ .+|threatbus_\w+(?:\{\w+="(?:[^"\\\n]|\\.)*"(?:,\w+="(?:[^"\\\n]|\\.)*")*\})? (?:-?\d[\d.e+-]*|NaN))$/);
});
