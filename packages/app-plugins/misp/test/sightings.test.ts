/** Sightings from the bus to MISP, and from MISP to the bus. */
import { message } from "@threatbus/core";
import type { Message } from "@threatbus/core";
import type { Sighting, StixObject } from "stix2-ts-types";
import { expect, test } from "vitest";
import { randomUUID } from "node:crypto";
import { stand } from "./stand.ts";
import type { Stand } from "./stand.ts";

const seen = "2026-01-02T03:04:05.678Z";

function sightingOf(uuid: string, more: object = {}): Message {
  return message({
    type: "sighting", spec_version: "2.1", id: `sighting--${randomUUID()}`, created: "2026-02-01T00:00:00Z", modified: "2026-02-01T00:00:00Z", last_seen: seen,
    sighting_of_ref: `indicator--${uuid}`, x_threatbus_source: "Zeek", ...more,
  } as Sighting);
}

async function known({ api, patterns }: Stand): Promise<string> {
  const { uuid } = await api.add(api.addEvent(), { value: "198.51.100.7" });
  await expect.poll(() => patterns().length).toBeGreaterThan(0);
  return uuid;
}

test("are reported by the attribute's UUID, with last_seen and the tool as source, in one request under their own UUIDs", async () => {
  const all = await stand();
  const { api, bus, count } = all;
  const uuid = await known(all);
  const three = [1, 2, 3].map(() => sightingOf(uuid));
  for (const one of three) await bus.publish(one);
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 3 });
  expect(api.library.sightings.map(({ uuid: id, source, type, date_sighting }) => ({ id, source, type, date_sighting }))).toStrictEqual(
    three.map(({ body }) => ({ id: (body as StixObject).id.slice(-36), source: "Threat Bus (Zeek)", type: 0, date_sighting: Math.floor(Date.parse(seen) / 1_000) })),
  );
  // Once more, as after a lost answer: MISP knows them.
  await bus.publish(three[0] as Message);
  await expect.poll(() => count("misp_sightings")["reported"]).toBe(4);
  expect(api.library.sightings).toHaveLength(3);
  expect(count("misp_sightings_waiting")).toStrictEqual({ "": 0 });
});

test("one by one where MISP takes no batches; attributes it does not have are asked for once; foreign ones never", async () => {
  const all = await stand();
  const { api, bus, count } = all;
  const uuid = await known(all);
  api.trouble({ path: "/sightings/bulkSaveSightings", status: 403, body: '{"message": "You do not have permission to use this functionality."}' });
  for (let n = 0; n < 3; n++) await bus.publish(sightingOf(uuid));
  const stranger = randomUUID();
  for (let n = 0; n < 3; n++) await bus.publish(sightingOf(stranger));
  await bus.publish(sightingOf(uuid, { sighting_of_ref: `malware--${uuid}` }));
  await bus.publish(sightingOf(uuid, { count: 0 }));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 3, unknown: 3, foreign: 1, none: 1 });
  expect(api.library.sightings).toHaveLength(3);
  const asked = api.requests.filter(({ path }) => path === `/sightings/add/${stranger}`).length;
  expect(asked).toBeLessThanOrEqual(3);
  await bus.publish(sightingOf(stranger));
  await expect.poll(() => count("misp_sightings")["unknown"]).toBe(4);
  expect(api.requests.filter(({ path }) => path === `/sightings/add/${stranger}`)).toHaveLength(asked);
});

test("opinions that disagree are false positives", async () => {
  const all = await stand();
  const { api, bus, count } = all;
  const uuid = await known(all);
  const opinion = (words: string): Message =>
    message({ type: "opinion", spec_version: "2.1", id: `opinion--${randomUUID()}`, created: seen, modified: seen, opinion: words, object_refs: [`indicator--${uuid}`] } as unknown as StixObject);
  for (const words of ["agree", "strongly-disagree"]) await bus.publish(opinion(words));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ none: 1, reported: 1 });
  expect(api.library.sightings).toMatchObject([{ type: 1, source: "Threat Bus" }]);
});

test("wait while MISP is away, and are there when it is back", async () => {
  const all = await stand();
  const { api, bus, count } = all;
  const uuid = await known(all);
  await api.down();
  for (let n = 0; n < 5; n++) await bus.publish(sightingOf(uuid));
  await expect.poll(() => count("misp_sightings_waiting")).toStrictEqual({ "": 5 });
  await api.up();
  await expect.poll(() => api.library.sightings.length).toBe(5);
});

test("that wait at the end are counted as lost", async () => {
  const all = await stand();
  const { api, bus, count } = all;
  const uuid = await known(all);
  await api.down();
  for (let n = 0; n < 3; n++) await bus.publish(sightingOf(uuid));
  await expect.poll(() => count("misp_sightings_waiting")).toStrictEqual({ "": 3 });
  await bus.stop();
  expect(count("misp_sightings")).toStrictEqual({ lost: 3 });
});

test("without the right to add them none is tried, and the log says what to change", async () => {
  const all = await stand();
  const { api, bus, count, log } = all;
  const uuid = await known(all);
  api.rights.sighting = false;
  for (let n = 0; n < 5; n++) await bus.publish(sightingOf(uuid));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ forbidden: 5 });
  expect(api.requests.filter(({ path }) => path.startsWith("/sightings")).length).toBeLessThanOrEqual(2);
  expect(log.some(({ level, fields }) => level === "error" && JSON.stringify(fields).includes("lacks a right"))).toBe(true);
});

test("of others come from MISP to the bus and are not sent back; our own do not come", async () => {
  const all = await stand({ zmq: { topics: ["misp_json_attribute", "misp_json_sighting"] } });
  const { api, bus, got, count } = all;
  const uuid = await known(all);
  await bus.publish(sightingOf(uuid));
  await expect.poll(() => count("misp_skipped")["own"]).toBe(1);
  const theirs = await api.sight(uuid, { source: "their sensor" });
  const sightings = (): string[] => got.filter(({ type }) => type === "sighting").map(({ id }) => String(id));
  await expect.poll(() => sightings()).toContain(`sighting--${theirs.uuid}`);
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 1, echo: 1 });
  expect(sightings()).toHaveLength(2);
  expect(api.library.sightings).toHaveLength(2);
});
