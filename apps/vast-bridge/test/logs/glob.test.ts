import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { alternatives, filesLike, nameForm } from "../../src/engines/logs/glob.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "threatbus-glob-"));
  for (const name of ["eve.json", "eve.json.1", "a/conn.log", "a/b/dns.log", "a/b/c/.hidden.log", ".x/conn.log", "a/we[ird.log"]) {
    await mkdir(join(folder, name, ".."), { recursive: true });
    await writeFile(join(folder, name), "");
  }
});
afterAll(() => rm(folder, { recursive: true }));

test.each<[pattern: string, ...found: string[]]>([
  ["eve.json", "eve.json"],
  ["eve.json*", "eve.json", "eve.json.1"],
  ["eve.jso?", "eve.json"],
  ["eve.json.[0-9]", "eve.json.1"],
  ["eve.json.[!1]"],
  ["*/*.log", "a/conn.log", "a/we[ird.log"],
  ["**/*.log", "a/b/dns.log", "a/conn.log", "a/we[ird.log"],
  ["a/**", "a/b/dns.log", "a/conn.log", "a/we[ird.log"],
  [".x/*", ".x/conn.log"],
  ["{eve.json,a/{conn,dns}.log}", "a/conn.log", "eve.json"],
  ["a"],
  ["nothing/*"],
  ["a/we[[]ird.log", "a/we[ird.log"],
])("%s", async (pattern, ...found) => {
  expect((await filesLike([join(folder, pattern)])).map((path) => relative(folder, path))).toStrictEqual(found);
});

test("a name without marks is itself and nothing else", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }).filter((name) => !/[*?[{\]}/\0]/.test(name)), fc.string(), (name, other) => {
      expect(nameForm(name).test(name)).toBe(true);
      expect(nameForm(name).test(other)).toBe(name === other);
      expect(alternatives(name)).toStrictEqual([name]);
    }),
  );
});
