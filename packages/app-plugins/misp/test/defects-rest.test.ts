/** Defects of the first Threat Bus's MISP plugin that need MISP's API or its feed; the others are in defects.test.ts. */
import { randomUUID } from "node:crypto";
import { message } from "@threatbus/core";
import type { Sighting } from "stix2-ts-types";
import { expect, test } from "vitest";
import { ask } from "./history.ts";
import { stand } from "./stand.ts";

test("5: tags that come with a new attribute, and those of its event, never match", async () => {
  const { api, patterns } = await stand({ filter: [{ tags: ["wanted"] }] });
  await api.add(api.addEvent({ tags: ["wanted"] }), { value: "198.51.100.1" });
  await api.add(api.addEvent(), { value: "198.51.100.2", tags: ["wanted"] });
  await expect.poll(() => patterns()).toStrictEqual(["ADD [ipv4-addr:value = '198.51.100.1']", "ADD [ipv4-addr:value = '198.51.100.2']"]);
});

test("10: the snapshot goes by the event's day, has one page, and one bad attribute or answer spoils it", async () => {
  const { api, bus } = await stand({ api: { page_size: 2 } });
  const event = api.addEvent();
  const now = Math.floor(Date.now() / 1_000);
  for (let n = 1; n <= 5; n++) api.library.addAttribute(event, { value: n === 3 ? "no address" : `198.51.100.${n}`, warned: n === 2 }, now);
  api.trouble({ path: "/attributes", status: 500, body: '{"message": "An Internal Error Has Occurred."}' });
  const { objects, failed } = await ask(bus, 1, 3_600);
  expect(failed).toBe(0);
  expect(objects.map(({ pattern }) => pattern)).toStrictEqual([1, 2, 4, 5].map((n) => `[ipv4-addr:value = '198.51.100.${n}']`));
});

test("11: a sighting has the wrong time, and an error ends reporting for ever", async () => {
  const { api, bus, patterns } = await stand();
  const { uuid } = await api.add(api.addEvent());
  await expect.poll(() => patterns().length).toBeGreaterThan(0);
  const sight = (): Promise<void> =>
    bus.publish(message({ type: "sighting", spec_version: "2.1", id: `sighting--${randomUUID()}`, created: "2026-02-01T00:00:00Z", modified: "2026-02-01T00:00:00Z", last_seen: "2026-01-01T00:00:00Z", sighting_of_ref: `indicator--${uuid}` } as Sighting));
  api.trouble({ path: "/sightings", status: "cut" });
  api.trouble({ path: "/sightings", status: 200, headers: { "Content-Type": "text/html" }, body: "<html>" });
  await sight();
  await expect.poll(() => api.library.sightings.length).toBe(1);
  await sight();
  await expect.poll(() => api.library.sightings.length).toBe(2);
  expect(new Set(api.library.sightings.map(({ date_sighting }) => date_sighting))).toStrictEqual(new Set([Date.parse("2026-01-01T00:00:00Z") / 1_000]));
});

test("12: a frame without a blank or with bad UTF-8 ends the receiver", async () => {
  const { feed, api, patterns, count } = await stand();
  await feed.sendRaw("misp_json_attribute");
  await feed.sendRaw(Buffer.concat([Buffer.from("misp_json_attribute "), Buffer.from([0xc3, 0x28])]));
  await api.add(api.addEvent(), { value: "198.51.100.1" });
  await expect.poll(() => patterns()).toContain("ADD [ipv4-addr:value = '198.51.100.1']");
  expect(count("misp_refused")).toStrictEqual({ frame: 1, utf8: 1 });
});
