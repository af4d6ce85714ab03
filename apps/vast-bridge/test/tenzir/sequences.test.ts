import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newestFirst } from "../../src/engines/tenzir/newest-first.ts";
import { Quota } from "../../src/engines/tenzir/quota.ts";
import { sideBySide } from "../../src/engines/tenzir/side-by-side.ts";

async function* from<T>(items: readonly T[], onEnd: () => void = () => undefined): AsyncGenerator<T> {
  try {
    for (const item of items) yield item;
  } finally {
    onEnd();
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const descending = fc.array(fc.nat({ max: 50 })).map((numbers) => numbers.sort((a, b) => b - a).map((number) => ({ at: String(number).padStart(2, "0") })));

describe("newest first", () => {
  it("is one order over all sources", async () => {
    await fc.assert(fc.asyncProperty(fc.array(descending, { maxLength: 4 }), async (sources) => {
      const expected = sources.flat().map(({ at }) => at).sort().reverse();
      expect((await all(newestFirst(sources.map((items) => from(items))))).map(({ at }) => at)).toEqual(expected);
    }));
  });

  it("ends its sources when nobody wants more", async () => {
    let ended = 0;
    for await (const { at } of newestFirst([from([{ at: "2" }, { at: "1" }], () => ended++), from([{ at: "3" }, { at: "0" }], () => ended++)])) if (at === "3") break;
    expect(ended).toBe(2);
  });
});

describe("side by side", () => {
  it("gives all of all, each in its order", async () => {
    await fc.assert(fc.asyncProperty(fc.array(fc.array(fc.nat()), { maxLength: 4 }), async (lists) => {
      const given = await all(sideBySide(lists.map((list, source) => from(list.map((item) => ({ source, item }))))));
      expect(lists.map((_, source) => given.filter((each) => each.source === source).map(({ item }) => item))).toEqual(lists);
    }));
  });

  it("begins before anybody asks", async () => {
    let begun = 0;
    const lazy = async function* (): AsyncGenerator<number> {
      begun++;
      yield 1;
    };
    const both = sideBySide([lazy(), lazy()]);
    expect(begun).toBe(2);
    expect(await all(both)).toEqual([1, 1]);
  });

  it("fails with one, and ends the others", async () => {
    let ended = 0;
    const broken = async function* (): AsyncGenerator<number> {
      yield 1;
      throw new Error("broken");
    };
    await expect(all(sideBySide([broken(), from([1, 2, 3, 4, 5], () => ended++)]))).rejects.toThrow("broken");
    expect(ended).toBe(1);
  });
});

describe("a quota", () => {
  const [a, b] = [{ kind: "ip", value: "192.0.2.1" }, { kind: "ip", value: "192.0.2.2" }] as const;

  it("admits as many as it may, and tells whose were more", () => {
    const quota = new Quota(2, 2);
    expect([a, a, b, a, a].map((observable) => quota.admit(observable))).toEqual([true, true, true, false, false]);
    expect([quota.full, quota.end]).toEqual([false, { truncated: "limit", observables: [a] }]);
    expect([b, b].map((observable) => quota.admit(observable))).toEqual([true, false]);
    expect([quota.full, quota.end]).toEqual([true, { truncated: "limit", observables: [a, b] }]);
  });

  it("without a limit admits all", () => {
    const quota = new Quota(1, Infinity);
    for (let i = 0; i < 100; i++) expect(quota.admit(a)).toBe(true);
    expect([quota.full, quota.end]).toEqual([false, {}]);
  });
});
