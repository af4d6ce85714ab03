/** The Zeek package beside the plugin: what the two must agree on. That Zeek takes the script is for zeek.test.ts. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { options } from "../src/options.ts";
import { Protocol } from "../src/protocol.ts";
import { string, timespan, timestamp, vector } from "../src/wire/value.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const script = read("../src/threatbus/scripts/main.zeek");
const defaults = options.parse({});

/** What is left of it for a Zeek of that version, with or without Broker. */
function codeFor(version: string, broker = true): string {
  const since = (wanted: string): boolean => version.localeCompare(wanted, "en", { numeric: true }) >= 0;
  const known: Readonly<Record<string, boolean>> = { "Cluster::publish": since("7.1.0"), "Cluster::subscribe": since("7.1.0"), "Cluster::CLUSTER_BACKEND_BROKER": broker && since("7.1.0") };
  const holds: boolean[] = [];
  const lines = script.split("\n").filter((line) => {
    const [, directive, condition = ""] = /^@(ifdef|if|else|endif)\b\s*(?:\( (.*) \))?/.exec(line) ?? [];
    if (directive === "else") holds.push(!(holds.pop() ?? false));
    else if (directive === "endif") holds.pop();
    else if (directive === "ifdef") holds.push(known[condition] ?? (condition.startsWith("Broker::") && broker));
    else if (directive === "if") {
      const [, not, least] = /^(! )?Version::at_least\("([0-9.]+)"\)$/.exec(condition) ?? [];
      holds.push(least === undefined || since(least) !== (not !== undefined));
    }
    return directive === undefined && holds.every(Boolean);
  });
  expect(holds).toEqual([]);
  return lines.join("\n").replace(/#.*$/gm, "").replace(/"(?:\\.|[^"\\\n])*"/g, '""');
}

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

it.each(["5.0.0", "7.0.9", "7.1.0", "7.2.0", "8.0.0", "8.1.0", "9.0.0", "10.1.0"])("uses nothing that Zeek %s does not have", (version) => {
  const since = (wanted: string): boolean => version.localeCompare(wanted, "en", { numeric: true }) >= 0;
  const code = codeFor(version);
  expect(/\bCluster::(?:publish|subscribe)\(/.test(code)).toBe(since("7.1.0"));
  expect(/\bCluster::(?:listen_websocket|websocket_client_(?:added|lost))\(/.test(code)).toBe(since("7.2.0"));
  expect(/\bBroker::listen_websocket\(/.test(code)).toBe(!since("7.2.0"));
  expect(code.includes("$listen_addr=")).toBe(since("8.0.0"));
  // Built without Broker it has none of its names.
  if (since("9.0.0")) expect(codeFor(version, false)).not.toContain("Broker::");
  expect(script).not.toContain("@load base/frameworks/broker");
});

it.each(["5.0.0", "9.0.0"])("subscribes at one place for native peers, and not for a cluster's nodes (%s)", (version) => {
  const bodies = new Map([...codeFor(version).matchAll(/^(?:function|event) ([\w:]+)\([^{]*\{([\s\S]*?)^\t\}/gm)].map(([, name = "", body = ""]) => [name, body]));
  const callers = (of: string): string[] => [...bodies].filter(([, body]) => body.includes(`${of}(`)).map(([name]) => name).sort();
  expect(callers("send_subscribe")).toEqual(["Cluster::websocket_client_added", "greet"].filter((name) => bodies.has(name)));
  expect(callers("greet")).toEqual(["Broker::peer_added", "Tenzir::peer_settled"]);
  expect(bodies.get("Tenzir::peer_settled")).toMatch(/if \( ! is_cluster_node\(id\) \)\s+greet\(id\);/);
  expect(bodies.get("Broker::peer_added")).toMatch(/if \( ! Cluster::is_enabled\(\) \)\s+\{\s+greet/);
});

it("leaves out subnets that hold all of IPv4, whoever publishes them", () => {
  const body = /function is_usable_subnet\(.*\n\t\{([\s\S]*?)^\t\}/m.exec(script)?.[1] ?? "";
  expect(body).toContain("return ! ( 0.0.0.0 in block && 255.255.255.255 in block );");
  expect(body).toContain("to_count(parts[1]) > longest");
  // Zeek compares the whole value with the pattern.
  const [, form = ""] = /if \( \/(.*)\/ != value \)/.exec(body) ?? [];
  const whole = new RegExp(`^(?:${form})$`);
  expect(["1.2.3.4/24", "::/1", "2001:db8::/32"].every((value) => whole.test(value))).toBe(true);
  expect(["", "x/24", "1.2.3.4", "1.2.3.4/", "1.2.3.4/24x", "1.2.3.4/-1", "1.2.3.4/1000"].some((value) => whole.test(value))).toBe(false);
});

it("is the package that zkg finds at the top of the repository too", () => {
  const [inside, top] = [read("../src/threatbus/zkg.meta"), read("../../../../zkg.meta")];
  expect(top.replace(/script_dir = .*/, "")).toBe(inside.replace(/script_dir = .*/, ""));
  expect(/script_dir = (.*)/.exec(top)?.[1]).toBe("packages/app-plugins/zeek/src/threatbus/scripts");
});
