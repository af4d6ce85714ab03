/** What the options do, and that the README's configurations are some. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, it } from "vitest";
import { changeOf } from "../src/intel/map.ts";
import { options } from "../src/options.ts";
import { string, timespan } from "../src/wire/value.ts";
import { eventually } from "./eventually.ts";
import { FakeZeek } from "./fake-zeek.ts";
import { idOf, indicator, stand } from "./stand.ts";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");

describe("the README's configurations", () => {
  const table = readme.slice(readme.indexOf("## Which way for which Zeek"), readme.indexOf("## Options"));
  const cells = table.split("\n").filter((line) => line.startsWith("|")).map((line) => line.split("|")[2]?.trim() ?? "").map((cell) => /^`(.*)`$/.exec(cell)?.[1]).filter((text) => text !== undefined);

  it.each(cells)("%s", (text) => {
    const written = parse(text.startsWith("zeek:") ? text : `{${text}}`) as Record<string, unknown>;
    const given = "zeek" in written ? written["zeek"] : written;
    // Whatever it names is taken as it is written.
    expect(options.parse(given)).toMatchObject(given as object);
  });

  it("are one for each row that is not as the one above", () => {
    expect(cells.length).toBeGreaterThanOrEqual(5);
    expect(table.match(/^\| \d/gm)?.length).toBeGreaterThanOrEqual(8);
  });
});

it("speaks on other topics and of another module, if told so", async () => {
  const { bus, port, host, sightings } = await stand({ management_topic: "tb/manage", sighting_topic: "tb/seen", module_namespace: "Bus" });
  const zeek = await FakeZeek.peered(port, { filter: ["tb/manage"] });
  const ask = (topic: string, name: string): void => zeek.publish(topic, name, string("stix2/indicator"), timespan(0n));
  // None of its topics, and one of its topics with another module's event.
  ask("threatbus/manage", "Bus::subscribe");
  ask("tb/manage", "Tenzir::subscribe");
  ask("tb/manage", "Bus::subscribe");
  const { topic, event } = await zeek.event();
  expect([topic, event.name]).toEqual(["tb/manage", "Bus::subscription_acknowledged"]);
  expect(host.count("zeek_events_refused", { reason: "name" })).toBe(1);
  zeek.want(["tb/manage", (event.args[0] as { value: string }).value]);
  await bus.publish(indicator(1));
  expect((await zeek.event()).event.name).toBe("Bus::intel");
  for (const [on, name] of [["stix2/sighting", idOf(2)], ["tb/seen", idOf(1)]] as const) zeek.publish(on, "Bus::sighting", { type: "timestamp", value: 0n }, string(name), { type: "table", value: [] });
  await eventually(() => sightings.map(({ sighting_of_ref }) => sighting_of_ref), [idOf(1)]);
});

it("remembers max_indicators, and counts what it forgets", async () => {
  const { bus, port, host } = await stand({ max_indicators: 3 });
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  for (let n = 0; n < 5; n++) await bus.publish(indicator(n));
  await zeek.intel(5);
  expect([host.gauge("zeek_indicators_known"), host.count("zeek_forgotten")]).toEqual([3, 2]);
  expect(host.entries.filter(({ text }) => text.includes("max_indicators"))).toHaveLength(1);
});

it("counts what does not go to Zeek by why", async () => {
  const { bus, port, host } = await stand();
  const zeek = await FakeZeek.peered(port);
  await zeek.subscribe();
  for (const [n, pattern] of ["[domain-name:value LIKE '%']", "[mutex:name = 'x']", "[ipv4-addr:value IN ('::/8', 'x', '192.0.2.1')]"].entries()) await bus.publish(indicator(n, pattern));
  await bus.publish(indicator(3, "rule x { condition: true }", { pattern_type: "yara" }));
  await bus.publish(indicator(2, "[ipv4-addr:value = '192.0.2.2']", { modified: "2024-05-01T09:00:00Z", created: "2024-05-01T09:00:00Z", valid_from: "2024-05-01T09:00:00Z" }));
  await bus.publish(indicator(5));
  expect(await zeek.intel(2)).toEqual(["ADD ADDR 192.0.2.1", "ADD ADDR 10.0.0.5"]);
  expect(["pattern", "path", "value", "pattern_type", "stale", "encoding"].map((reason) => host.count("zeek_skipped", { reason }))).toEqual([1, 1, 2, 1, 1, 0]);
  expect([host.count("zeek_indicators"), host.count("zeek_intel", { operation: "ADD" })]).toEqual([6, 2]);
  expect(changeOf(indicator(1).body as never).skipped.size).toBe(0);
});

it("counts the sightings that it published", async () => {
  const { port, host, sightings } = await stand();
  const zeek = await FakeZeek.peered(port);
  for (let n = 0; n < 5; n++) zeek.sight(idOf(n));
  zeek.sight("");
  await eventually(() => sightings.length, 5);
  expect([host.count("zeek_sightings"), host.gauge("zeek_sightings_waiting"), host.count("zeek_events_refused", { reason: "id" })]).toEqual([5, 0, 1]);
});
