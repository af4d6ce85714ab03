import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBus, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { afterEach, beforeEach, expect, test } from "vitest";
import { XPublisher } from "zeromq";
import { misp } from "../src/index.ts";
import { frame, written } from "./sample.ts";

let folder = "";
const ends: (() => unknown)[] = [];
beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), "misp-restart-"))));
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await rm(folder, { recursive: true, force: true });
});

/** One life of a bus: what is published in it when a MISP says these things. */
async function life(path: string | undefined, frames: readonly string[], expected: number): Promise<string[]> {
  const socket = new XPublisher({ linger: 0 });
  ends.push(() => socket.close());
  await socket.bind("tcp://127.0.0.1:*");
  const port = Number(socket.lastEndpoint?.split(":").at(-1));
  const bus = createBus({ backbones: [inmem()], apps: [misp({ zmq: { host: "127.0.0.1", port }, ...(path !== undefined && { state: { path } }) })], logger: silentLogger });
  ends.push(() => bus.stop());
  await bus.start();
  const told: string[] = [];
  await bus.subscribe("stix2/indicator", ({ body }) => {
    const { x_threatbus_update = "ADD", pattern } = body as unknown as { x_threatbus_update?: string; pattern: string };
    told.push(`${x_threatbus_update} ${pattern}`);
  });
  for (let subscribed = ""; !subscribed.startsWith("misp_json_attribute"); ) subscribed = (await socket.receive())[0]?.subarray(1).toString() ?? "";
  for (const each of frames) await socket.send(each);
  await expect.poll(() => told.length).toBe(expected);
  await bus.stop();
  return told;
}

const sanitised = frame(written({ type: "comment", value: "deleted", to_ids: false, deleted: true, timestamp: 1_726_511_700 }, { action: "soft-delete" }));
const again = frame(written({ uuid: "00000000-0000-4000-8000-000000000000", value: "203.0.113.9" }));

test("what was sent before a restart is withdrawn after it, although MISP no longer says what it was", async () => {
  const path = join(folder, "misp.state");
  expect(await life(path, [frame(written())], 1)).toStrictEqual(["ADD [ipv4-addr:value = '198.51.100.7']"]);
  expect(await life(path, [sanitised, again], 2)).toStrictEqual(["REMOVE [ipv4-addr:value = '198.51.100.7']", "ADD [ipv4-addr:value = '203.0.113.9']"]);
  // And nothing is told twice.
  expect(await life(path, [again, sanitised, frame(written({ uuid: "00000000-0000-4000-8000-000000000001" }))], 1)).toStrictEqual(["ADD [ipv4-addr:value = '198.51.100.7']"]);
});

test("without a file it is not", async () => {
  expect(await life(undefined, [frame(written())], 1)).toHaveLength(1);
  expect(await life(undefined, [sanitised, again], 1)).toStrictEqual(["ADD [ipv4-addr:value = '203.0.113.9']"]);
});
