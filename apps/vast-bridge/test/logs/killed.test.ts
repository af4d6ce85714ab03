import { appendFileSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { site } from "../grounds.ts";
import { eventually, indicator } from "../program.ts";
import { bad, conn } from "./stand.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);

test("killed while it watches, over rotations too, it goes on with no line missed", { timeout: 60_000 * Math.max(1, scale) }, async () => {
  await site.bus();
  const { client, sightings } = await site.client();
  const folder = join(site.folder, "logs");
  mkdirSync(folder);
  const file = join(folder, "conn.log");
  writeFileSync(file, "");
  const start = () => site.running(site.bridge({ engine: "logs", live_match: true, retro_match: false, logs: { files: [file], poll_interval: 0.01 } }));
  const found = () => new Set(sightings.map(({ x_threatbus_sighting_context: event }) => Number((event as { uid: string }).uid)));
  let written = 0;
  const write = (lines: number): void => appendFileSync(file, Array.from({ length: lines }, () => conn(written++)).join(""));

  let bridge = await start();
  await client.publish(indicator(1, `[ipv4-addr:value = '${bad.value}']`));
  // Watched for once it finds something.
  await eventually(() => {
    write(1);
    return sightings.length;
  }).toBeGreaterThan(0);
  const before = Math.min(...found());
  for (let round = 0; round < 3 * scale; round++) {
    const reported = found().size;
    write(300);
    await eventually(() => found().size).toBeGreaterThan(reported);
    await bridge.kill("SIGKILL");
    write(50);
    if (round % 2 === 1) {
      renameSync(file, join(folder, `conn.${round}.log`));
      writeFileSync(file, "");
      write(50);
    }
    bridge = await start();
  }
  await eventually(() => [...found()].sort((a, b) => a - b)).toStrictEqual(Array.from({ length: written - before }, (_, n) => before + n));
  // What was in hand when it was killed may come twice, as the same.
  expect(new Set(sightings.map(({ id }) => id)).size).toBe(written - before);
  await expect(bridge.kill("SIGTERM")).resolves.toStrictEqual({ code: 0, signal: null });
});
