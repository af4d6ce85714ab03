import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Store } from "../src/store.ts";

let folder: string, path: string;
const open: Store[] = [];
const store = (): Store => {
  const made = new Store(path);
  open.push(made);
  return made;
};
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "threatbus-store-"));
  path = join(folder, "s.ndjson");
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  rmSync(folder, { recursive: true, force: true });
});
const all = (one: Store): [string, unknown][] => [...one.keys()].map((key) => [key, JSON.parse(one.get(key) ?? "")]);

const key = fc.oneof(fc.constantFrom("a", "b", "c:ü", '"q"'), fc.string({ unit: "binary-ascii" }), fc.string({ unit: "grapheme" }));
const change = fc.record({ key, value: fc.option(fc.json({ maxDepth: 2 })) });

describe("a store", () => {
  it("is a map, before and after it is opened again", () => {
    fc.assert(fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
      rmSync(path, { force: true });
      const model = new Map<string, unknown>(), one = store();
      for (const { key, value } of changes) {
        model.delete(key);
        if (value === null) one.delete(key);
        else {
          model.set(key, JSON.parse(value));
          one.set(key, JSON.stringify(JSON.parse(value)));
        }
      }
      const expected = [...model].map(([name, value]) => [name, JSON.parse(JSON.stringify(value)) as unknown]);
      expect(all(one)).toEqual(expected);
      one.close();
      const again = store();
      expect(all(again)).toEqual(expected);
      expect(again.damaged).toBe(0);
      again.close();
    }), { numRuns: 100 });
  });

  it("torn anywhere, holds what was set before, and takes more", () => {
    const first = store();
    first.set("a", '{"n":1}');
    const whole = statSync(path).size;
    first.set("bü", '{"n":"ü"}');
    first.close();
    const bytes = readFileSync(path);
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes);
      truncateSync(path, length);
      const one = store();
      expect(all(one)).toEqual(length < whole ? [] : [["a", { n: 1 }]]);
      one.set("c", "3");
      one.close();
      const again = store();
      expect(all(again).at(-1)).toEqual(["c", 3]);
      again.close();
    }
  });

  it("passes over lines that are spoilt, and counts them", () => {
    writeFileSync(path, '["a",1]\n\u0000\u0000\n["b",{]\n[1,2]\n["c",3]\n{"d":4}\n');
    const one = store();
    expect(all(one)).toEqual([["a", 1], ["c", 3]]);
    expect(one.damaged).toBe(4);
  });

  it("is written anew when most of it is out of date, and is the same", () => {
    const one = store();
    const text = JSON.stringify("x".repeat(10_000));
    for (let n = 0; n < 2_000; n++) one.set(`k${n % 50}`, n % 50 === 7 ? JSON.stringify(`ü${n}`) : text);
    expect(statSync(path).size).toBeLessThan(6 * 1024 * 1024);
    expect(existsSync(`${path}.new`)).toBe(false);
    const before = all(one);
    expect(before.length).toBe(50);
    one.close();
    expect(all(store())).toEqual(before);
  });

  it("does not mind what a compaction left that was ended half-way", () => {
    store().set("a", "1");
    writeFileSync(`${path}.new`, '["b",');
    expect(all(store())).toEqual([["a", 1]]);
  });

  it("refuses what would spoil the file", () => {
    const one = store();
    expect(() => one.set("a", "1\n2")).toThrow(RangeError);
    expect(() => one.set("a", JSON.stringify("x".repeat(2 ** 20)))).toThrow(RangeError);
    one.set("a", "1");
    appendFileSync(path, '["b"');
    one.close();
    expect(all(store())).toEqual([["a", 1]]);
  });
});
