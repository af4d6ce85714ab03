import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { FakeBus } from "./fake-bus.ts";
import { Workshop } from "./program.ts";

const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
const [app = "", responder = ""] = Array.from(readme.matchAll(/```ts\n([^]*?)```/g), ([, code]) => code ?? "");

let workshop: Workshop, bus: FakeBus;
const env = (): Record<string, string> => ({ BUS_PORT: String(bus.port) });

beforeAll(() => void (workshop = new Workshop()));
afterAll(() => workshop.clean());
afterEach(() => bus.kill());

const indicator = { type: "indicator", id: "indicator--1", pattern: "[ipv4-addr:value = '10.0.0.1']" };
const other = { type: "indicator", id: "indicator--2", pattern: "[ipv4-addr:value = '10.0.0.2']" };

test("the README's app learns, matches, reports, and ends by itself", async () => {
  bus = await FakeBus.start();
  const program = workshop.run(app, env());
  await expect.poll(() => bus.attached.has(bus.channel)).toBe(true);
  expect(bus.actions("subscribe")).toMatchObject([{ topic: "stix2/indicator", snapshot: 30 }]);
  await bus.send("indicator", JSON.stringify(other));
  await bus.send("indicator", JSON.stringify(indicator));
  await bus.send("indicator", JSON.stringify({ ...other, x_threatbus_update: "REMOVE" }));
  await expect.poll(() => program.output).toMatch(/knows 2[^]*knows 1\s*$/);
  for (const n of [3, 2, 1]) program.child.stdin.write(`${JSON.stringify({ dest_ip: `10.0.0.${n}`, uid: "C1" })}\n`);
  program.child.stdin.end();
  expect(await program.ended).toBe(0);
  await expect.poll(() => bus.taken.length).toBe(1);
  const [frame = ""] = bus.taken;
  expect(frame).toMatch(/^stix2\/sighting \{/);
  expect(JSON.parse(frame.slice(frame.indexOf(" ")))).toMatchObject({
    type: "sighting",
    sighting_of_ref: "indicator--1",
    x_threatbus_indicator: indicator,
    x_threatbus_sighting_context: { dest_ip: "10.0.0.1", uid: "C1" },
  });
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test("the README's app ends cleanly on SIGTERM", async () => {
  bus = await FakeBus.start();
  const program = workshop.run(app, env());
  await expect.poll(() => bus.attached.has(bus.channel)).toBe(true);
  await bus.send("indicator", JSON.stringify(indicator));
  await expect.poll(() => program.output).toContain("knows 1");
  program.child.kill("SIGTERM");
  expect(await program.ended).toBe(0);
  expect(bus.actions("unsubscribe")).toHaveLength(1);
});

test("the README's responder answers", async () => {
  bus = await FakeBus.start();
  const program = workshop.run(
    `import { connect } from "@threatbus/zmq-client";
     const client = await connect({ manage: Number(process.env.BUS_PORT) });
     const store = { async *read(kind) { yield { type: kind, id: kind + "--1" }; } };
     ${responder}
     process.once("SIGTERM", () => client.close());`,
    env(),
  );
  await expect.poll(() => bus.attached.has(bus.channel)).toBe(true);
  await bus.send("snapshotrequest", JSON.stringify({ type: "snapshotrequest", snapshot_type: 1, snapshot_id: "s", snapshot: 86_400 }));
  await expect.poll(() => bus.taken.length).toBe(1);
  expect(bus.taken[0]).toContain('"body":{"type":"indicator","id":"indicator--1"}');
  program.child.kill("SIGTERM");
  expect(await program.ended).toBe(0);
});

const start = (linger: number): string => `import { connect } from "@threatbus/zmq-client";
const client = await connect({ manage: Number(process.env.BUS_PORT), requestTimeout: 2000, linger: ${linger} });`;

test("everything published before close arrives, and the process ends", async () => {
  bus = await FakeBus.start();
  const program = workshop.run(
    `${start(60_000)}
     for (let n = 0; n < 5000; n++) void client.publish({ topic: "stix2/indicator", payload: String(n) });
     await client.close();`,
    env(),
  );
  expect(await program.ended).toBe(0);
  await expect.poll(() => bus.taken.length).toBe(5_000);
});

test("a process whose bus is gone ends all the same", async () => {
  bus = await FakeBus.start();
  const program = workshop.run(
    `${start(300)}
     await client.subscribe("stix2/");
     await client.publish({ topic: "stix2/indicator", payload: "1" });
     process.once("SIGTERM", async () => {
       const late = client.publish({ topic: "stix2/indicator", payload: "2" }).catch((error) => console.log(error.code));
       await client.close();
       await late;
     });
     console.log("ready");`,
    env(),
  );
  await expect.poll(() => program.output).toContain("ready");
  bus.kill();
  program.child.kill("SIGTERM");
  expect(await program.ended).toBe(0);
});

test("a connection that fails leaves nothing that holds the process", async () => {
  bus = await FakeBus.start({ answer: () => undefined });
  const program = workshop.run(start(300), env());
  expect(await program.ended).toBe(1);
  expect(program.output).toContain("REQUEST_TIMEOUT");
});
