import { describe, expect, test } from "vitest";
import type { MispAttributeMessage } from "../src/decode.ts";
import { filterOf } from "../src/filter.ts";
import { relay } from "../src/relay.ts";
import type { Decision } from "../src/relay.ts";
import { memoryStore } from "../src/state.ts";
import type { Sent } from "../src/state.ts";
import { creator, given, time } from "./sample.ts";

const all = filterOf([]);
const first = "[ipv4-addr:value = '198.51.100.7']";
const live: Sent = { pattern: first, live: true, timestamp: time, eventId: "625", creator: `identity--${creator}` };
const gone: Sent = { ...live, live: false };
const amber = { name: "tlp:amber" };

/** `ADD pattern`, `EDIT pattern`, `REMOVE pattern` for each message, or why there is none. */
function told(decision: Decision): string {
  if (decision.outcome === "skipped") return decision.reason;
  return decision.indicators.map(({ x_threatbus_update, pattern }) => `${x_threatbus_update ?? "ADD"} ${pattern}`).join(", ");
}

describe("what a message means, given what was sent before", () => {
  const sanitised = { type: "comment", value: "deleted", to_ids: false, deleted: true };
  const later = { timestamp: time + 10 };
  const value = { ...later, value: "203.0.113.9" };
  const added = `ADD ${first}`, edited = `EDIT ${first}`, removed = `REMOVE ${first}`, changed = `${removed}, ADD [ipv4-addr:value = '203.0.113.9']`;
  test.each<[string, MispAttributeMessage, string, string, string]>([
    // what comes, its message, then the outcome if unknown, live, removed before
    ["add", given(), added, edited, added],
    ["edit", given(later, { action: "edit" }), added, edited, added],
    ["value edit", given(value, { action: "edit" }), "ADD [ipv4-addr:value = '203.0.113.9']", changed, "ADD [ipv4-addr:value = '203.0.113.9']"],
    ["type edit", given({ ...later, type: "domain", value: "evil.example" }, { action: "edit" }), "ADD [domain-name:value = 'evil.example']", `${removed}, ADD [domain-name:value = 'evil.example']`, "ADD [domain-name:value = 'evil.example']"],
    ["edit to a type without mapping", given({ ...later, type: "comment" }, { action: "edit" }), "type", removed, "type"],
    ["edit to a value that is none", given({ ...later, value: "x" }, { action: "edit" }), "value", removed, "value"],
    ["add without to_ids", given({ to_ids: false }), "to_ids", removed, "absent"],
    ["to_ids switched off", given({ ...later, to_ids: false }, { action: "edit" }), removed, removed, "absent"],
    ["soft delete", given({ ...later, deleted: true }, { action: "soft-delete" }), removed, removed, "absent"],
    ["soft delete, sanitised", given({ ...later, ...sanitised }, { action: "soft-delete" }), "to_ids", removed, "absent"],
    ["hard delete", given({}, { action: "delete", Event: undefined }), removed, removed, "absent"],
    ["deleted edit", given({ ...later, deleted: "1" }, { action: "edit" }), removed, removed, "absent"],
    ["older edit", given({ timestamp: time - 1, value: "203.0.113.9" }, { action: "edit" }), "ADD [ipv4-addr:value = '203.0.113.9']", "stale", "stale"],
    ["older delete", given({ timestamp: time - 1, deleted: true }, { action: "soft-delete" }), removed, "stale", "stale"],
  ])("%s", (_, message, unknown, known, after) => {
    expect([undefined, live, gone].map((before) => told(relay(message, before, all)))).toStrictEqual([unknown, known, after]);
  });

  test("an attribute that leaves the filter is withdrawn", () => {
    const filter = filterOf([{ orgs: [], types: [], tags: ["tlp:amber"] }]);
    expect(told(relay(given({ Tag: [amber] }), undefined, filter))).toBe(added);
    expect(told(relay(given(later, { action: "edit" }), live, filter))).toBe(removed);
    expect(told(relay(given(later, { action: "edit" }), undefined, filter))).toBe("filter");
  });

  test("a removal of what was never sent obeys the filter", () => {
    const filter = filterOf([{ orgs: ["99"], types: [], tags: [] }]);
    expect(told(relay(given({ deleted: true }, { action: "soft-delete" }), undefined, filter))).toBe("filter");
    expect(told(relay(given({}, { action: "delete", Event: undefined }), undefined, filter))).toBe("filter");
    expect(told(relay(given({}, { action: "delete", Event: undefined }), live, filter))).toBe(removed);
  });

  test("a removal is revoked, newer than what it removes, and keeps its markings and creator", () => {
    const markings = ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"] as const;
    const decision = relay(given({ ...later, ...sanitised }, { action: "soft-delete" }), { ...live, markings }, all);
    expect(decision.outcome === "mapped" && decision.indicators).toMatchObject([
      { revoked: true, created: "2024-09-16T18:34:43.000Z", modified: "2024-09-16T18:34:53.000Z", object_marking_refs: markings, created_by_ref: `identity--${creator}` },
    ]);
    const hard = relay(given({}, { action: "delete", Event: undefined }), live, all);
    expect(hard.outcome === "mapped" && hard.indicators[0]?.modified).toBe("2024-09-16T18:34:43.001Z");
  });

  test("what is remembered follows what was sent", () => {
    const changed = relay(given(value, { action: "edit" }), live, all);
    expect(changed.outcome === "mapped" && changed.sent).toMatchObject({ pattern: "[ipv4-addr:value = '203.0.113.9']", live: true, timestamp: time + 10 });
    const withdrawn = relay(given({ ...later, deleted: true }, { action: "soft-delete" }), live, all);
    expect(withdrawn.outcome === "mapped" && withdrawn.sent).toStrictEqual({ ...gone, timestamp: time + 10 });
  });
});

describe("the filter", () => {
  const message = given({ Tag: [{ name: "tlp:amber" }, { name: "Kind" }] });
  const entry = (more: { orgs?: (string | number)[]; types?: string[]; tags?: string[] }) => ({ orgs: [], types: [], tags: [], ...more });
  test.each([
    [[], true], [[entry({})], true],
    [[entry({ orgs: ["2"] })], true], [[entry({ orgs: [2] })], true], [[entry({ orgs: ["1"] })], false], [[entry({ orgs: ["circl"] })], true],
    [[entry({ orgs: [creator.toUpperCase()] })], true], [[entry({ types: ["url", "ip-dst"] })], true], [[entry({ types: ["ip"] })], false],
    [[entry({ tags: ["TLP:AMBER"] })], true], [[entry({ tags: ["kind"] })], false], [[entry({ tags: ["x", "Kind"] })], true],
    [[entry({ orgs: [2], types: ["url"] })], false], [[entry({ orgs: [7] }), entry({ types: ["ip-dst"], tags: ["Kind"], orgs: [2] })], true],
  ])("%j: %s", (entries, passes) => expect(filterOf(entries)(message)).toBe(passes));

  test("an organisation filter keeps back what has no event", () => {
    expect(filterOf([entry({ orgs: ["2"] })])(given({}, { Event: undefined }))).toBe(false);
    expect(filterOf([entry({ orgs: [""] })])(given({}, { Event: { id: "1" } }))).toBe(false);
  });
});

describe("the memory", () => {
  test("forgets the longest untouched", () => {
    const store = memoryStore(2);
    store.set("a", live);
    store.set("b", live);
    store.set("a", gone);
    store.set("c", live);
    expect([store.size, store.get("a"), store.get("b"), store.get("c"), store.get("__proto__")]).toStrictEqual([2, gone, undefined, live, undefined]);
  });
});
