import { describe, expect, test } from "vitest";
import { filterOf, needsTags } from "../src/filter/filter.ts";
import type { Filter } from "../src/filter/filter.ts";
import type { FilterEntry } from "../src/filter/options.ts";
import { options } from "../src/options.ts";
import { creator, excluding, filtering, given } from "./sample.ts";

const { attribute, event } = given({ Tag: [{ name: "tlp:amber" }, { name: "Kind" }] });
const tagged = event && { ...event, tags: [{ name: "TLP:GREEN", local: false, exportable: true }] };

/** Entries, and whether the attribute passes any of them. */
const table: readonly [readonly Partial<FilterEntry>[], boolean][] = [
  [[{}], true],
  [[{ orgs: ["2"] }], true], [[{ orgs: [2] }], true], [[{ orgs: ["1"] }], false], [[{ orgs: [1] }], false], [[{ orgs: ["circl"] }], true], [[{ orgs: [" CIRCL "] }], true],
  [[{ orgs: [creator.toUpperCase()] }], true], [[{ orgs: ["CIR"] }], false],
  [[{ types: ["url", "ip-dst"] }], true], [[{ types: ["ip"] }], false], [[{ types: ["IP-DST"] }], false],
  [[{ categories: ["network activity"] }], true], [[{ categories: ["Payload delivery"] }], false],
  [[{ tags: ["TLP:AMBER"] }], true], [[{ tags: ["kind"] }], false], [[{ tags: ["x", "Kind"] }], true], [[{ tags: ["tlp:green"] }], true], [[{ tags: ["tlp:red"] }], false],
  [[{ orgs: [2], types: ["url"] }], false], [[{ orgs: [7] }, { types: ["ip-dst"], tags: ["Kind"], orgs: [2] }], true],
];

describe("the filter", () => {
  test("without entries lets everything pass", () => {
    expect([filtering()(attribute, event), excluding()(attribute, event)]).toStrictEqual([true, true]);
  });

  test.each(table)("%j: %s", (entries, passes) => {
    expect(filtering(...entries)(attribute, tagged)).toBe(passes);
    expect(excluding(...entries)(attribute, tagged)).toBe(!passes);
  });

  test("what is excluded does not pass, whatever else is said", () => {
    const entry = (more: Partial<FilterEntry>): FilterEntry => ({ orgs: [], types: [], tags: [], categories: [], ...more });
    const both: Filter = filterOf({ filter: [entry({ types: ["ip-dst"] })], exclude: [entry({ tags: ["tlp:green"] })] });
    expect([both(attribute, event), both(attribute, tagged), both(given({ type: "url" }).attribute, event)]).toStrictEqual([true, false, false]);
  });

  test("an organisation filter keeps back what has no event", () => {
    expect(filtering({ orgs: ["2"] })(attribute, undefined)).toBe(false);
    const bare = given({}, { Event: { id: "1" } });
    expect(filtering({ orgs: ["", "2"] })(bare.attribute, bare.event)).toBe(false);
  });

  test("says whether it looks at tags", () => {
    const of = (given: unknown): boolean => needsTags(options.parse({ zmq: {}, ...Object(given) as object }));
    expect([{}, { filter: [{ types: ["url"] }] }, { filter: [{ tags: ["a"] }] }, { exclude: [{ tags: ["a"] }] }].map(of)).toStrictEqual([false, false, true, true]);
  });

  test("an entry of exclude names something", () => {
    expect(options.safeParse({ exclude: [{}] }).error?.issues[0]).toMatchObject({ path: ["exclude", 0], message: expect.stringContaining("name orgs, types, tags or categories") as unknown });
  });
});
