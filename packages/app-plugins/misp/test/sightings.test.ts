/** Sightings from the bus to MISP, and from MISP to the bus. */
import { randomUUID } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { message } from "@threatbus/core";
import type { Message } from "@threatbus/core";
import { fakeMisp } from "@threatbus/testkit";
import type { Sighting, StixObject } from "stix2-ts-types";
import { describe, expect, test } from "vitest";
import { busProcess } from "./bus-process.ts";
import { atEnd, stand } from "./stand.ts";
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
  await expect.poll(() => count("misp_sightings_waiting")).toStrictEqual({ "": 0 });
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

test("wait here up to 10,000 while MISP is away, and then in the subscription's queue, which says what it drops", async () => {
  const { api, bus, count } = await stand({ zmq: false });
  await api.down();
  const stranger = randomUUID();
  for (let n = 0; n < 10_050; n++) await bus.publish(sightingOf(stranger));
  const [queue] = bus.stats().subscriptions.filter(({ name }) => name.startsWith("misp"));
  await expect.poll(() => count("misp_sightings_waiting")).toStrictEqual({ "": 10_000 });
  expect(queue?.name).toBe("misp/sightings");
  expect(bus.stats().subscriptions.find(({ name }) => name === queue?.name)).toMatchObject({ received: 10_050, delivered: 10_000, waiting: 50, dropped: { overflow: 0 } });
});

test("are offered again after 429 and 5xx, and not where MISP says no", async () => {
  const { api, bus, count } = await stand({ zmq: false });
  const { uuid } = api.library.addAttribute(api.addEvent(), {}, 1);
  api.trouble({ path: "/sightings", status: 429, headers: { "X-Rate-Limit-Reset": "1" }, body: '{"message": "Rate limit exceeded."}' });
  api.trouble({ path: "/sightings", status: 503 });
  await bus.publish(sightingOf(uuid));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 1 });
  expect(api.requests.filter(({ path }) => path.startsWith("/sightings"))).toHaveLength(3);
  api.trouble({ path: "/sightings", status: 200, body: '{"message": "Could not add the Sighting. Reason: Something else."}' });
  await bus.publish(sightingOf(uuid));
  await expect.poll(() => count("misp_sightings")).toStrictEqual({ reported: 1, refused: 1 });
  expect(api.requests.filter(({ path }) => path.startsWith("/sightings"))).toHaveLength(4);
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

describe("with a state file", () => {
  async function stateFile(): Promise<{ path: string }> {
    const folder = await mkdtemp(join(tmpdir(), "misp-sightings-"));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    return { path: join(folder, "misp.state") };
  }

  test("those that wait at the end are reported by the next process, each once", async () => {
    const state = await stateFile();
    const first = await stand({ state });
    const { api, feed } = first;
    const uuid = await known(first);
    await api.down();
    const made = [1, 2, 3].map(() => sightingOf(uuid));
    for (const one of made) await first.bus.publish(one);
    await expect.poll(() => first.count("misp_sightings_waiting")).toStrictEqual({ "": 3 });
    await first.bus.stop();
    expect([first.count("misp_sightings"), first.count("misp_sightings_waiting")]).toStrictEqual([{}, { "": 3 }]);
    await api.up();
    const second = await stand({ state }, { api, feed });
    await expect.poll(() => second.count("misp_sightings")).toStrictEqual({ reported: 3 });
    expect(api.library.sightings.map(({ uuid: id, source }) => [id, source])).toStrictEqual(made.map(({ body }) => [(body as StixObject).id.slice(-36), "Threat Bus (Zeek)"]));
    await second.bus.stop();
    const third = await stand({ state }, { api, feed });
    expect(third.count("misp_sightings_waiting")).toStrictEqual({ "": 0 });
    await third.bus.publish(sightingOf(uuid));
    await expect.poll(() => third.count("misp_sightings")).toStrictEqual({ reported: 1 });
    expect(api.library.sightings).toHaveLength(4);
  });

  test("those that wait outlive SIGKILL", async () => {
    const state = await stateFile();
    const api = await fakeMisp();
    atEnd(() => api.stop());
    const { uuid } = api.library.addAttribute(api.addEvent(), {}, 1);
    const options = { api: { host: api.url, key: api.key }, state };
    await api.down();
    const doomed = await busProcess(options);
    const ids = [1, 2, 3].map(() => sightingOf(uuid)).map(({ body }) => {
      doomed.publish(body as StixObject);
      return (body as StixObject).id.slice(-36);
    });
    await expect.poll(async () => {
      const text = await readFile(state.path, "utf8");
      return ids.filter((id) => text.includes(id));
    }).toStrictEqual(ids);
    await doomed.kill();
    await api.up();
    await busProcess(options);
    await expect.poll(() => api.library.sightings.length).toBe(3);
  });
});
