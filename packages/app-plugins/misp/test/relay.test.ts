import { message as busMessage } from "@threatbus/core";
import { describe, expect, test } from "vitest";
import type { AttributeMessage, EventMessage, PublishedMessage } from "../src/decode/message.ts";
import { decide } from "../src/relay/relay.ts";
import type { Decision, Policy } from "../src/relay/relay.ts";
import type { Known, Sent } from "../src/state/sent.ts";
import { creator, excluding, filtering, given, knowing, point, policy, read, time, uuid, written } from "./sample.ts";

const first = "[ipv4-addr:value = '198.51.100.7']";
const second = "[ipv4-addr:value = '203.0.113.9']";
const other = uuid.replace("5", "6");

/** What is remembered after it was sent. */
function after(message: AttributeMessage, rules: Policy = policy()): Sent {
  const [decision] = decide(message, knowing(), rules);
  if (decision?.outcome !== "mapped") throw new Error(decision?.reason);
  return decision.sent;
}
const live = after(given());
const gone: Sent = { ...live, patterns: [] };

/** `ADD pattern`, `EDIT pattern`, `REMOVE pattern` for each message, or why there is none. */
function told(decision: Decision): string {
  if (decision.outcome === "skipped") return decision.reason;
  return decision.indicators.map(({ x_threatbus_update, pattern }) => `${x_threatbus_update ?? "ADD"} ${pattern}`).join(", ");
}
function all(message: AttributeMessage | PublishedMessage | EventMessage, known: Known, rules: Policy = policy()): string[] {
  return [...decide(message, known, rules)].map(told);
}
const later = { timestamp: time + 10 };
const value = { ...later, value: "203.0.113.9" };
const sanitised = { type: "comment", value: "deleted", to_ids: false, deleted: true };

describe("what a message of an attribute means, given what was sent before", () => {

  const added = `ADD ${first}`, edited = `EDIT ${first}`, removed = `REMOVE ${first}`, changed = `${removed}, ADD ${second}`;
  test.each<[string, AttributeMessage, string, string, string]>([
    // what comes, its message, then the outcome if unknown, live, removed before
    ["add", given(), added, "unchanged", added],
    ["the same with a tag", given({ Tag: [{ name: "late" }] }), added, edited, added],
    ["edit", given(later, { action: "edit" }), added, edited, added],
    ["value edit", given(value, { action: "edit" }), `ADD ${second}`, changed, `ADD ${second}`],
    ["type edit", given({ ...later, type: "domain", value: "evil.example" }, { action: "edit" }), "ADD [domain-name:value = 'evil.example']", `${removed}, ADD [domain-name:value = 'evil.example']`, "ADD [domain-name:value = 'evil.example']"],
    ["type edit that looks for the same", given({ ...later, type: "ip-src" }, { action: "edit" }), added, edited, added],
    ["edit to a rule", given({ ...later, type: "yara", value: first }, { action: "edit" }), added, `${removed}, ${added}`, added],
    ["edit to a type without mapping", given({ ...later, type: "comment" }, { action: "edit" }), "type", removed, "type"],
    ["edit to a value that is none", given({ ...later, value: "x" }, { action: "edit" }), "value", removed, "value"],
    ["add without to_ids", given({ to_ids: false }), "to_ids", removed, "absent"],
    ["to_ids switched off", given({ ...later, to_ids: false }, { action: "edit" }), removed, removed, "absent"],
    ["soft delete", given({ ...later, deleted: true }, { action: "soft-delete" }), removed, removed, "absent"],
    ["soft delete, sanitised", given({ ...later, ...sanitised }, { action: "soft-delete" }), "to_ids", removed, "absent"],
    ["hard delete", given({}, { action: "delete", Event: undefined }), removed, removed, "absent"],
    ["deleted edit", given({ ...later, deleted: "1" }, { action: "edit" }), removed, removed, "absent"],
    ["older edit", given({ timestamp: time - 1, value: "203.0.113.9" }, { action: "edit" }), `ADD ${second}`, "stale", "stale"],
    ["older delete", given({ timestamp: time - 1, deleted: true }, { action: "soft-delete" }), removed, "stale", "stale"],
  ])("%s", (_, message, unknown, known, afterwards) => {
    expect([undefined, live, gone].map((before) => all(message, knowing(before && { [uuid]: before })))).toStrictEqual([[unknown], [known], [afterwards]]);
  });

  test("nothing that was never sent is withdrawn when all that was sent is known", () => {
    const switchedOff = given({ ...later, to_ids: false }, { action: "edit" });
    const deleted = given({ ...later, deleted: true }, { action: "soft-delete" });
    expect([switchedOff, deleted, given({}, { action: "delete", Event: undefined })].flatMap((message) => all(message, knowing({}, true)))).toStrictEqual(["to_ids", "absent", "absent"]);
  });

  test("what was said before a removal and comes after it is too late", () => {
    for (const complete of [true, false]) {
      for (const removal of [given({ ...later, ...sanitised }, { action: "soft-delete" }), given({ ...later, deleted: true }, { action: "soft-delete" })]) {
        const [decision] = decide(removal, knowing({}, complete), policy());
        expect(decision?.sent).toMatchObject({ patterns: [], timestamp: time + 10 });
        expect(all(given(), knowing({ [uuid]: decision?.sent as Sent }))).toStrictEqual(["stale"]);
      }
    }
  });

  test("an attribute that comes again with its event, as old as it was, is sent again", () => {
    const [removal] = decide(read({ Event: { id: "625" }, action: "delete" }) as EventMessage, knowing({ [uuid]: live }), policy());
    expect(all(given(), knowing({ [uuid]: removal?.sent as Sent }))).toStrictEqual([`ADD ${first}`]);
  });

  test("an attribute that leaves the filter is withdrawn", () => {
    const amber = policy({ passes: filtering({ tags: ["tlp:amber"] }) });
    expect(all(given({ Tag: [{ name: "tlp:amber" }] }), knowing(), amber)).toStrictEqual([`ADD ${first}`]);
    expect(all(given(later, { action: "edit" }), knowing({ [uuid]: live }), amber)).toStrictEqual([`REMOVE ${first}`]);
    expect(all(given(later, { action: "edit" }), knowing(), amber)).toStrictEqual(["filter"]);
    expect(all(given(later, { action: "edit" }), knowing({ [uuid]: live }), policy({ passes: excluding({ types: ["ip-dst"] }) }))).toStrictEqual([`REMOVE ${first}`]);
  });

  test("a removal of what was never sent obeys the filter", () => {
    const rules = policy({ passes: filtering({ orgs: ["99"] }) });
    const hard = given({}, { action: "delete", Event: undefined });
    expect([all(given({ deleted: true }, { action: "soft-delete" }), knowing(), rules), all(hard, knowing(), rules)]).toStrictEqual([["filter"], ["filter"]]);
    expect(all(hard, knowing({ [uuid]: live }), rules)).toStrictEqual([`REMOVE ${first}`]);
  });

  test("a removal is revoked, newer than what it removes, and keeps its markings and creator", () => {
    const markings = ["marking-definition--f88d31f6-486f-44da-b317-01333bde0b82"] as const;
    const sent = after(given({ Tag: [{ name: "tlp:amber" }] }));
    const [soft] = decide(given({ ...later, ...sanitised }, { action: "soft-delete" }), knowing({ [uuid]: sent }), policy());
    expect(soft?.outcome === "mapped" && soft.indicators).toStrictEqual([{
      type: "indicator", spec_version: "2.1", id: `indicator--${uuid}`, created_by_ref: `identity--${creator}`, created: "2024-09-16T18:34:43.000Z",
      modified: "2024-09-16T18:34:53.000Z", revoked: true, pattern: first, pattern_type: "stix", pattern_version: "2.1", valid_from: "2024-09-16T18:34:43.000Z",
      external_references: [{ source_name: "misp", external_id: uuid }], object_marking_refs: markings, x_threatbus_update: "REMOVE",
    }]);
    const [hard] = decide(given({}, { action: "delete", Event: undefined }), knowing({ [uuid]: sent }), policy());
    expect(hard?.outcome === "mapped" && hard.indicators[0]?.modified).toBe("2024-09-16T18:34:43.001Z");
    for (const decision of [soft, hard]) if (decision?.outcome === "mapped") for (const indicator of decision.indicators) expect(busMessage(indicator).topic).toBe("stix2/indicator");
  });

  test("what is remembered follows what was sent", () => {
    const [changed] = decide(given(value, { action: "edit" }), knowing({ [uuid]: live }), policy());
    expect(changed?.sent).toMatchObject({ patterns: [second], timestamp: time + 10, eventId: "625", creator: `identity--${creator}` });
    const [withdrawn] = decide(given({ ...later, deleted: true }, { action: "soft-delete" }), knowing({ [uuid]: live }), policy());
    expect(withdrawn?.sent).toStrictEqual({ ...gone, timestamp: time + 10 });
  });

  test("a rule is withdrawn in its language", () => {
    const rule = given({ type: "suricata", value: "alert ip any any -> any any (sid:1;)" });
    const [removal] = decide(given({ ...later, to_ids: false }, { action: "edit" }), knowing({ [uuid]: after(rule) }), policy());
    expect(removal?.outcome === "mapped" && removal.indicators[0]).toMatchObject({ pattern: "alert ip any any -> any any (sid:1;)", pattern_type: "suricata", x_threatbus_update: "REMOVE" });
    expect(removal?.outcome === "mapped" && removal.indicators[0]?.pattern_version).toBeUndefined();
  });
});

describe("an attribute in two halves", () => {
  const split = policy({ mapping: { ...point, compound: "split" } });
  const both = given({ type: "domain|ip", value: "evil.example|198.51.100.7" });
  const sent = after(both, split);
  const known = knowing({ [uuid]: sent });

  test("each half is new, changes and goes by itself", () => {
    expect(sent.patterns).toStrictEqual(["[domain-name:value = 'evil.example']", first]);
    expect(all(given({ ...later, type: "domain|ip", value: "evil.example|203.0.113.9" }, { action: "edit" }), known, split)).toStrictEqual([`REMOVE ${first}, EDIT [domain-name:value = 'evil.example'], ADD ${second}`]);
    expect(all(given({ ...later, type: "domain", value: "evil.example" }, { action: "edit" }), known, split)).toStrictEqual([`REMOVE ${first}, EDIT [domain-name:value = 'evil.example']`]);
    expect(all(given({ ...later, deleted: true }, { action: "soft-delete" }), known, split)).toStrictEqual([`REMOVE [domain-name:value = 'evil.example'], REMOVE ${first}`]);
  });

  test("the second half keeps its id", () => {
    const ids = (message: AttributeMessage, before: Known): (string | undefined)[] => {
      const [decision] = decide(message, before, split);
      return decision?.outcome === "mapped" ? decision.indicators.map(({ id }) => id) : [];
    };
    const [one, two] = ids(both, knowing());
    expect(one).toBe(`indicator--${uuid}`);
    expect(two).not.toBe(one);
    expect(ids(given({ deleted: true }, { action: "soft-delete" }), known)).toStrictEqual([one, two]);
  });
});

describe("a published event", () => {
  const row = (more: Record<string, unknown>): Record<string, unknown> => ({ ...(written(more)["Attribute"] as Record<string, unknown>), value1: undefined, value2: undefined });
  const event = (attributes: unknown, more: Record<string, unknown> = {}): PublishedMessage =>
    read({ Event: { id: "625", uuid, timestamp: String(time + 60), published: true, Orgc: { id: "2", uuid: creator, name: "CIRCL" }, Attribute: attributes, ...more } }) as PublishedMessage;

  test("brings what is new, and what changed without a message of its own", () => {
    const message = event([row({}), row({ uuid: other, value: "203.0.113.9" })]);
    expect(all(message, knowing())).toStrictEqual([`ADD ${first}`, `ADD ${second}`]);
    expect(all(message, knowing({ [uuid]: live }))).toStrictEqual(["unchanged", `ADD ${second}`]);
    expect(all(event([row({ ...later, value: "203.0.113.9" })]), knowing({ [uuid]: live }))).toStrictEqual([`REMOVE ${first}, ADD ${second}`]);
    expect(all(event([row({ to_ids: false })]), knowing())).toStrictEqual(["to_ids"]);
    expect(all(event([row({ ...later, to_ids: false })]), knowing({ [uuid]: live }))).toStrictEqual([`REMOVE ${first}`]);
  });

  test("withdraws what is no longer in it", () => {
    expect(all(event([]), knowing({ [uuid]: live, [other]: gone }))).toStrictEqual([`REMOVE ${first}`]);
    expect(all(event([], { id: "626" }), knowing({ [uuid]: live }))).toStrictEqual([]);
  });

  test("but nothing that may be newer than it, and nothing if it was not whole", () => {
    expect(all(event([], { timestamp: String(time) }), knowing({ [uuid]: live }))).toStrictEqual([]);
    expect(all(event([], { timestamp: undefined }), knowing({ [uuid]: live }))).toStrictEqual([]);
    expect(all(event(undefined), knowing({ [uuid]: live }))).toStrictEqual([]);
    expect(all(event([row({ uuid: "?" })]), knowing({ [uuid]: live }))).toStrictEqual([]);
  });

  test("its tags count", () => {
    const tagged = event([row({})], { Tag: [{ name: "tlp:red" }] });
    expect(all(tagged, knowing(), policy({ passes: filtering({ tags: ["tlp:red"] }) }))).toStrictEqual([`ADD ${first}`]);
    expect(all(tagged, knowing({ [uuid]: live }), policy({ passes: excluding({ tags: ["TLP:RED"] }) }))).toStrictEqual([`REMOVE ${first}`]);
  });

  test("published_only: only it brings something, attribute messages only take away", () => {
    const rules = policy({ published_only: true });
    expect(all(given(), knowing(), rules)).toStrictEqual(["published"]);
    expect(all(given({ ...later, value: "203.0.113.9" }, { action: "edit" }), knowing({ [uuid]: live }), rules)).toStrictEqual(["published"]);
    expect(all(given({ ...later, deleted: true }, { action: "soft-delete" }), knowing({ [uuid]: live }), rules)).toStrictEqual([`REMOVE ${first}`]);
    expect(all(event([row({})]), knowing(), rules)).toStrictEqual([`ADD ${first}`]);
    expect(all(event([row({})], { published: false }), knowing(), rules)).toStrictEqual(["published"]);
  });

  test("unpublished, it is withdrawn only if it had to be published", () => {
    const unpublish = read({ Event: { id: "625" }, Attribute: [], action: "unpublish" }) as PublishedMessage;
    expect(all(unpublish, knowing({ [uuid]: live }))).toStrictEqual([]);
    expect(all(unpublish, knowing({ [uuid]: live, [other]: gone }), policy({ published_only: true }))).toStrictEqual([`REMOVE ${first}`]);
  });
});

describe("an event alone", () => {
  test.each([["delete", [`REMOVE ${first}`]], ["add", []], ["edit", []], ["edit_from_connected_server", []]])("%s", (action, outcome) => {
    expect(all(read({ Event: { id: "625" }, action }) as EventMessage, knowing({ [uuid]: live, [other]: { ...live, eventId: "626" } }))).toStrictEqual(outcome);
  });
});
