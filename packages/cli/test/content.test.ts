import { Buffer } from "node:buffer";
import fc from "fast-check";
import { expect, test } from "vitest";
import { itemsOf, type Item } from "../src/content.ts";
import { printable, printableJson, printableLines } from "@threatbus/program";
import { jsonOf, lineOf } from "../src/shown.ts";
import { indicator } from "./program.ts";

const numRuns = 500 * Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
const items = (name: string, text: string): Item[] => [...itemsOf(name, Buffer.from(text))];
const topics = (name: string, text: string): (string | undefined)[] => items(name, text).map(({ message, refused }) => message?.topic ?? refused);

test("the name's ending decides what a file is, else the content", () => {
  const object = JSON.stringify(indicator(1)), sigma = "title: A\ndetection:\n  a: b\n", yara = "rule a { condition: true }";
  expect(topics("a.yml", sigma)).toEqual(["sigma/rule"]);
  expect(topics("a.YAML", sigma)).toEqual(["sigma/rule"]);
  expect(topics("a.yara", yara)).toEqual(["yara/rule"]);
  expect(topics("a", sigma)).toEqual(["sigma/rule"]);
  expect(topics("a", yara)).toEqual(["yara/rule"]);
  expect(topics("a", object)).toEqual(["stix2/indicator"]);
  expect(topics("a", `${object}\n${object}\n`)).toEqual(["stix2/indicator", "stix2/indicator"]);
  expect(topics("a.json", `[${object},${object}]`)).toEqual(["stix2/indicator", "stix2/indicator"]);
});

test("a single object keeps its bytes", () => {
  const text = ` ${JSON.stringify(indicator(1), undefined, 1)}`;
  expect(Buffer.from(items("a.json", text)[0]?.message?.payload ?? []).toString()).toBe(text);
});

test("bundles without a list, lists in lists, and depths are refused, not thrown", () => {
  expect(topics("a.json", '{"type":"bundle"}')).toEqual([]);
  expect(topics("a.json", '{"type":"bundle","objects":{}}')).toEqual(["objects of a bundle is a list"]);
  expect(topics("a.json", "[[]]")[0]).toMatch(/^type: /);
  expect(topics("a.json", "[".repeat(100_000))[0]).toMatch(/^json: /);
  expect(topics("a.json", "[".repeat(100_000) + "]".repeat(100_000))[0]).toMatch(/^depth: /);
  expect(topics("a.json", `[${JSON.stringify(indicator(1)).replace("{", '{"__proto__":{},')}]`)[0]).toMatch(/^keys: /);
  // Larger than one message may be: only what is in it is held to the limit.
  const many = [...topics("a.json", `[${JSON.stringify(indicator(1))},"${"x".repeat(17 * 1024 * 1024)}",${"[".repeat(100_000)}${"]".repeat(100_000)}]`)];
  expect(many.map((topic) => topic?.slice(0, 5))).toEqual(["stix2", "size:", "depth"]);
});

test("any bytes under any name are items, never an exception", () => {
  const name = fc.constantFrom("a", "a.json", "a.ndjson", "a.yml", "a.yar");
  fc.assert(
    fc.property(name, fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.json().map((text) => Buffer.from(text))), (file, bytes) => {
      for (const { message, refused } of itemsOf(file, Buffer.from(bytes))) expect((message === undefined) !== (refused === undefined)).toBe(true);
    }),
    { numRuns },
  );
});

test("printable texts hold nothing a terminal obeys, and JSON stays the same JSON", () => {
  const text = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(text, (given) => {
      expect(printable(given)).not.toMatch(/[\p{C}\u2028\u2029]/u);
      expect(printableLines(given).replaceAll("\n", "")).not.toMatch(/[\p{C}\u2028\u2029]/u);
      const json = printableJson({ [given]: given });
      expect(json).not.toMatch(/[\p{C}\u2028\u2029]/u);
      expect(JSON.parse(json)).toEqual({ [given]: given });
      for (const body of [{ type: "indicator", pattern: given, id: given, x_threatbus_update: given }, { type: given, name: { given } }, { type: "sighting", x_threatbus_indicator: { pattern: given } }]) {
        const received = { type: body.type, body, payload: new Uint8Array() } as never;
        for (const line of [lineOf(received, new Date(0)), jsonOf(received)]) expect(line).toMatch(/^[^\p{C}\u2028\u2029]*\n$/u);
      }
      expect(lineOf({ type: "rule", body: given, payload: new Uint8Array() }, new Date(0))).toMatch(/^[^\p{C}\u2028\u2029]*\n$/u);
    }),
    { numRuns },
  );
});
