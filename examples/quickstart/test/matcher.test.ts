import type { BusIndicator } from "@threatbus/zmq-client";
import { describe, expect, test } from "vitest";
import { eventOf, readLogs } from "../src/logs.ts";
import { Matcher } from "../src/matcher.ts";
import type { LogLine } from "../src/observables.ts";
import { sightingOf } from "../src/sighting.ts";

function indicator(pattern: string, more: Partial<BusIndicator> = {}): BusIndicator {
  return {
    type: "indicator",
    spec_version: "2.1",
    id: "indicator--5f0c0de0-0000-4000-8000-000000000001",
    created: "2024-09-16T00:00:00Z",
    modified: "2024-09-16T00:00:00Z",
    pattern,
    pattern_type: "stix",
    valid_from: "2024-09-16T00:00:00Z",
    ...more,
  };
}
const zeek = (line: LogLine) => eventOf("zeek/some.log", { ts: 1_726_473_600.25, ...line });
const suricata = (line: LogLine) => eventOf("suricata/eve.json", { timestamp: "2024-09-16T08:00:00.250000+0000", ...line });

describe("an indicator is found", () => {
  test.each<[what: string, pattern: string, event: ReturnType<typeof zeek>]>([
    ["as an address", "[ipv4-addr:value = '192.0.2.1']", zeek({ "id.orig_h": "192.0.2.1" })],
    ["as an IPv6 address in any spelling", "[ipv6-addr:value = '2001:DB8::1']", suricata({ dest_ip: "2001:0db8:0000:0000:0000:0000:0000:0001" })],
    ["as a block", "[ipv4-addr:value = '192.0.2.192/27']", zeek({ "id.resp_h": "192.0.2.223" })],
    ["as an IPv6 block", "[ipv6-addr:value = '2001:db8:dead::/48']", zeek({ "id.resp_h": "2001:db8:dead:1::5" })],
    ["as an answer", "[ipv4-addr:value = '192.0.2.1']", zeek({ query: "good.example", answers: ["192.0.2.1"] })],
    ["as a name", "[domain-name:value = 'evil.example']", zeek({ query: "EVIL.example." })],
    ["as an address where a name is usual", "[ipv4-addr:value = '192.0.2.1']", suricata({ http: { hostname: "192.0.2.1" } })],
    ["as a server name", "[domain-name:value = 'evil.example']", suricata({ tls: { sni: "evil.example" } })],
    ["as a URL with a quote", "[url:value = 'http://evil.example/it\\'s']", zeek({ host: "evil.example", uri: "/it's" })],
    ["as a URL asked of a proxy", "[url:value = 'https://evil.example/a']", zeek({ host: "evil.example", uri: "https://evil.example/a" })],
    ["as a sender", "[email-addr:value = 'ann@evil.example']", zeek({ from: "Ann <Ann@evil.example>" })],
    ["as a recipient", "[email-addr:value = 'ann@evil.example']", zeek({ rcptto: ["bo@good.example", "ann@evil.example"] })],
    ["as a hash", "[file:hashes.'SHA-256' = 'ABCD']", suricata({ fileinfo: { sha256: "abcd" } })],
    ["as a certificate", "[x509-certificate:hashes.'SHA-1' = 'abcdef']", suricata({ tls: { fingerprint: "ab:cd:ef" } })],
    ["as one of several", "[domain-name:value IN ('one.example', 'two.example')]", zeek({ server_name: "two.example" })],
  ])("%s", (_, pattern, event) => {
    expect(new Matcher([zeek({}), event]).learn(indicator(pattern)).map((match) => match.event)).toStrictEqual([event]);
  });
});

describe("an indicator is not found", () => {
  test.each<[what: string, pattern: string, event: ReturnType<typeof zeek>]>([
    ["in a name below it", "[domain-name:value = 'evil.example']", zeek({ query: "www.evil.example" })],
    ["beside its block", "[ipv4-addr:value = '192.0.2.192/27']", zeek({ "id.resp_h": "192.0.2.224" })],
    ["by a block that is none", "[ipv4-addr:value = '192.0.2.0/99']", zeek({ "id.resp_h": "192.0.2.1" })],
    ["by half of what it wants", "[ipv4-addr:value = '192.0.2.1' AND ipv4-addr:value = '192.0.2.2']", zeek({ "id.resp_h": "192.0.2.1" })],
    ["by its absence", "[ipv4-addr:value != '192.0.2.1']", zeek({ "id.resp_h": "192.0.2.1" })],
    ["by a value of another kind", "[domain-name:value = 'EvilBot']", zeek({ user_agent: "EvilBot" })],
    ["in a field without a value", "[domain-name:value = '-']", zeek({ host: "-" })],
  ])("%s", (_, pattern, event) => {
    expect(new Matcher([event]).learn(indicator(pattern))).toStrictEqual([]);
  });
});

test("an edit tells only what is new, a removal withdraws, a return tells again", () => {
  const [one, two] = [zeek({ query: "one.example" }), zeek({ query: "two.example" })];
  const matcher = new Matcher([one, two]);
  const found = (pattern: string, more: Partial<BusIndicator> = {}) => matcher.learn(indicator(pattern, more)).map(({ event }) => event);
  expect(found("[domain-name:value = 'one.example']")).toStrictEqual([one]);
  expect(found("[domain-name:value IN ('one.example', 'two.example')]", { x_threatbus_update: "EDIT" })).toStrictEqual([two]);
  expect(matcher.known).toBe(1);
  expect(found("[domain-name:value = 'one.example']", { x_threatbus_update: "REMOVE" })).toStrictEqual([]);
  expect(matcher.known).toBe(0);
  expect(found("[domain-name:value = 'one.example']")).toStrictEqual([one]);
});

test("other pattern languages are left alone", () => {
  expect(new Matcher([zeek({})]).learn(indicator("rule x { condition: true }", { pattern_type: "yara" }))).toStrictEqual([]);
});

test("a sighting tells which indicator, in which event, and when", () => {
  const event = suricata({ event_type: "dns", dns: { rrname: "evil.example" } });
  const known = indicator("[domain-name:value = 'evil.example']");
  const sightings = new Matcher([event]).learn(known).map(sightingOf);
  expect(sightings).toMatchObject([{
    type: "sighting",
    description: "evil.example (domain-name) in suricata/eve.json",
    sighting_of_ref: known.id,
    first_seen: "2024-09-16T08:00:00.250Z",
    last_seen: "2024-09-16T08:00:00.250Z",
    count: 1,
    x_threatbus_sighting_context: event.line,
    x_threatbus_indicator: known,
    x_threatbus_match_type: "RETRO",
    x_threatbus_source: "quickstart",
  }]);
});

test("the bundled logs are read whole", () => {
  const events = readLogs();
  const lines: Record<string, number> = {};
  for (const { log } of events) lines[log] = (lines[log] ?? 0) + 1;
  expect(lines).toStrictEqual({
    "zeek/conn.log": 99, "zeek/dns.log": 60, "zeek/http.log": 42, "zeek/smtp.log": 16, "zeek/ssl.log": 36, "suricata/eve.json": 90,
  });
  expect(events.filter(({ observables }) => observables.length < 2)).toStrictEqual([]);
});
