/** The Zeek package beside the plugin: what the two must agree on. That Zeek takes the script is for zeek.test.ts. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { options } from "../src/options.ts";
import { Protocol } from "../src/protocol.ts";
import { string, timespan, timestamp, vector } from "../src/wire/value.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const script = read("../src/threatbus/scripts/main.zeek");
const defaults = options.parse({});
const constant = (name: string): string => new RegExp(`(?:const|option) ${name}(?:: \\w+)? = (.+?) &redef;`).exec(script)?.[1] ?? "absent";

it("has the plugin's addresses, topics and module", () => {
  expect(constant("broker_host")).toBe(JSON.stringify(defaults.host));
  expect(constant("broker_port")).toBe(`${defaults.port}/tcp`);
  expect(constant("management_topic")).toBe(JSON.stringify(defaults.management_topic));
  expect(constant("sighting_topic")).toBe(JSON.stringify(defaults.sighting_topic));
  expect(script).toContain(`module ${defaults.module_namespace};`);
});

it("has the record's five fields in the order they are sent", () => {
  const record = /type Intelligence: record \{([\s\S]*?)\n\t\};/.exec(script)?.[1] ?? "";
  expect([...record.matchAll(/^\t\t(\w+): (\w+);/gm)].map(([, name, type]) => `${name} ${type}`)).toEqual(["ts time", "id string", "intel_type string", "indicator string", "operation string"]);
  const { args } = new Protocol("Tenzir").intel({ operation: "ADD", id: "i", type: "DOMAIN", value: "v", created: 1n });
  expect(args).toEqual([vector([timestamp(1n), string("i"), string("DOMAIN"), string("v"), string("ADD")])]);
});

it("knows every type the plugin sends", () => {
  for (const type of ["ADDR", "SUBNET", "URL", "SOFTWARE", "EMAIL", "DOMAIN", "USER_NAME", "CERT_HASH", "FILE_HASH", "FILE_NAME"]) expect(script).toContain(`["${type}"] = Intel::${type},`);
});

it("subscribes as the plugin reads it, and in no other arity", () => {
  const [, feature = ""] = /local features: vector of string = vector\("(\w+)"\)/.exec(script) ?? [];
  const request = new Protocol("Tenzir").read({ name: "Tenzir::subscribe", args: [string("stix2/indicator"), timespan(0n), vector([string(feature)])] });
  expect(request).toEqual({ kind: "subscribe", topic: "stix2/indicator", seconds: 0, separate: true });
  for (const publish of script.match(/publish\(management_topic, Tenzir::subscribe, .*\)/g) ?? []) expect(publish).toMatch(/, intel_topic, snapshot_intel, features\)$/);
});

it("has its options in its guide", () => {
  const guide = read("../src/threatbus/README.md");
  const names = [...script.matchAll(/^\t(?:const|option) (\w+)/gm)].map(([, name = ""]) => name).filter((name) => name !== "tb_intel_tag");
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
});

it("opens what it closes: blocks and conditions are balanced", () => {
  const code = script.replace(/#.*$/gm, "").replace(/"(?:\\.|[^"\\])*"/g, '""');
  expect(code.match(/^@if/gm)?.length).toBe(code.match(/^@endif/gm)?.length);
  for (const [open, close] of ["{}", "()", "[]"].map((pair) => pair.split(""))) expect(code.split(open ?? "").length, open).toBe(code.split(close ?? "").length);
});

it("is the package that zkg finds at the top of the repository too", () => {
  const [inside, top] = [read("../src/threatbus/zkg.meta"), read("../../../../zkg.meta")];
  expect(top.replace(/script_dir = .*/, "")).toBe(inside.replace(/script_dir = .*/, ""));
  expect(/script_dir = (.*)/.exec(top)?.[1]).toBe("packages/app-plugins/zeek/src/threatbus/scripts");
});
