/** One test for each known defect of the first Threat Bus's MISP plugin in what messages mean, named after it. */
import { readFileSync } from "node:fs";
import { pointIndicators } from "@threatbus/core";
import type { Indicator } from "stix2-ts-types";
import { describe, expect, test } from "vitest";
import { decode } from "../src/decode/decode.ts";
import type { AttributeMessage } from "../src/decode/message.ts";
import { indicatorsOf } from "../src/map/indicator.ts";
import { mappedTypes } from "../src/map/types.ts";
import type { UpdatedIndicator } from "../src/relay/relay.ts";
import type { Sent } from "../src/state/sent.ts";
import { splitFrame } from "../src/receive.ts";
import { bytes, excluding, filtering, given, knowing, policy, point, time, uuid, written } from "./sample.ts";
import { decide } from "../src/relay/relay.ts";

const pattern = "[ipv4-addr:value = '198.51.100.7']";
const live: Sent = { patterns: [pattern], patternType: "stix", timestamp: time, eventId: "625", fingerprint: 1 };

function relayed(message: AttributeMessage, before?: Sent): readonly UpdatedIndicator[] {
  const [decision] = decide(message, knowing(before && { [uuid]: before }), policy());
  return decision?.outcome === "mapped" ? decision.indicators : [];
}
function patternOf(type: string, value: string): string {
  const mapped = indicatorsOf(given({ type, value }).attribute, undefined, point);
  return typeof mapped === "string" ? mapped : (mapped.indicators[0]?.pattern ?? "");
}

describe("defects of the first Threat Bus", () => {
  test("defect 1: soft-delete is no allowed action, so MISP's normal delete is dropped", () => {
    expect(relayed(given({ deleted: true }, { action: "soft-delete" }), live)).toMatchObject([{ x_threatbus_update: "REMOVE", revoked: true }]);
  });

  test("defect 2: a hard delete comes without event and is dropped, or goes out as a live indicator", () => {
    const hard = given({}, { action: "delete", Event: undefined });
    for (const before of [live, undefined]) expect(relayed(hard, before)).toMatchObject([{ x_threatbus_update: "REMOVE", pattern }]);
  });

  test("defect 3: an edit of a deleted attribute goes out as a live indicator", () => {
    for (const deleted of [true, 1, "1"]) expect(relayed(given({ deleted }, { action: "edit" }), live)).toMatchObject([{ x_threatbus_update: "REMOVE" }]);
  });

  test("defect 4: a value or type edit leaves the old value active", () => {
    const [old, now] = relayed(given({ type: "domain", value: "evil.example", timestamp: time + 1 }, { action: "edit" }), live);
    expect(old).toMatchObject({ x_threatbus_update: "REMOVE", pattern });
    expect(now?.pattern).toBe("[domain-name:value = 'evil.example']");
    expect(now?.x_threatbus_update).toBeUndefined();
    // What is looked for stays, all else is new.
    expect(relayed(given({ comment: "c", timestamp: time + 1 }, { action: "edit" }), live)).toMatchObject([{ x_threatbus_update: "EDIT", pattern, description: "c" }]);
  });

  test("defect 5: tags sent with a new attribute, and event tags, never match the tag filter", () => {
    const { attribute, event } = given();
    const green = filtering({ tags: ["tlp:green"] });
    expect(green(attribute, event)).toBe(false);
    expect(green(given({ Tag: [{ name: "tlp:green" }] }).attribute, event)).toBe(true);
    expect(green(attribute, event && { ...event, tags: [{ name: "tlp:green", local: false, exportable: true }] })).toBe(true);
    // An attribute that was sent as it was added, and whose tags then come, is brought up to date, or withdrawn.
    const late = given({ Tag: [{ name: "tlp:red" }] }, { action: "edit" });
    const [decision] = decide(late, knowing({ [uuid]: live }), policy({ passes: excluding({ tags: ["tlp:red"] }) }));
    expect(decision?.outcome === "mapped" && decision.indicators).toMatchObject([{ x_threatbus_update: "REMOVE" }]);
    expect(relayed(late, live)).toMatchObject([{ x_threatbus_update: "EDIT", object_marking_refs: ["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"] }]);
  });

  test("defect 6: IPv6 goes out as ipv4-addr, also inside domain|ip", () => {
    expect(patternOf("ip-dst", "2001:db8::1")).toBe("[ipv6-addr:value = '2001:db8::1']");
    expect(patternOf("domain|ip", "evil.example|2001:db8::1")).toContain("[ipv6-addr:value = '2001:db8::1']");
  });

  test("defect 7: ip|port, hostname|port, hashes and files have no mapping", () => {
    expect(patternOf("ip-dst|port", "198.51.100.7|443")).toBe("[ipv4-addr:value = '198.51.100.7']");
    expect(patternOf("hostname|port", "evil.example|443")).toBe("[domain-name:value = 'evil.example']");
    expect(patternOf("sha256", "ab".repeat(32))).toBe(`[file:hashes.'SHA-256' = '${"ab".repeat(32)}']`);
    expect(patternOf("filename|md5", `a.exe|${"ab".repeat(16)}`)).toBe(`[file:hashes.MD5 = '${"ab".repeat(16)}']`);
    for (const type of ["filename", "attachment"]) expect(patternOf(type, "a.exe")).toBe("[file:name = 'a.exe']");
  });

  test("defect 8: times shift with the host's time zone, and modified is now", () => {
    const zone = process.env["TZ"];
    try {
      const made = ["UTC", "Pacific/Kiritimati", "America/St_Johns"].map((name) => {
        process.env["TZ"] = name;
        const { attribute, event } = given();
        return [new Date(time * 1_000).getTimezoneOffset(), JSON.stringify(indicatorsOf(attribute, event, point))] as const;
      });
      expect(new Set(made.map(([offset]) => offset)).size).toBe(3);
      expect(new Set(made.map(([, json]) => json)).size).toBe(1);
      const [indicator] = (JSON.parse(made[0]?.[1] ?? "") as { indicators: [Indicator] }).indicators;
      expect([indicator.created, indicator.modified, indicator.valid_from]).toStrictEqual(Array(3).fill("2024-09-16T18:34:43.000Z"));
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  test('defect 9: to_ids "0" counts as on, and an integer orgc_id matches no configured organisation', () => {
    expect(relayed(given({ to_ids: "0" }))).toStrictEqual([]);
    expect(relayed(given({ to_ids: "0" }, { action: "edit" }), live)).toMatchObject([{ x_threatbus_update: "REMOVE" }]);
    const integers = given({}, { Event: { id: 625, org_id: 1, orgc_id: 2 } });
    for (const org of ["2", 2]) expect(filtering({ orgs: [org] })(integers.attribute, integers.event)).toBe(true);
    for (const org of ["1", 1]) expect(filtering({ orgs: [org] })(integers.attribute, integers.event)).toBe(false);
  });

  test("defect 12: a frame without a blank or with bad UTF-8 ends the receiver", () => {
    expect(splitFrame(Buffer.from("misp_json_attribute"))).toBeUndefined();
    const cut = splitFrame(Buffer.concat([Buffer.from("misp_json_attribute "), Buffer.from([0xc3, 0x28])]));
    expect(decode(cut?.payload ?? new Uint8Array())).toStrictEqual({ ok: false, reason: "utf8" });
  });

  test("defect 13: a filter for TLP:AMBER matches nothing, and the type src-ip that is recommended does not exist", () => {
    const { attribute, event } = given({ Tag: [{ name: "tlp:amber" }] });
    expect(filtering({ tags: ["TLP:AMBER"] })(attribute, event)).toBe(true);
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const named = [...readme.matchAll(/types: \[([^\]]*)\]/g)].flatMap(([, list = ""]) => [...list.matchAll(/"([^"]+)"/g)].map(([, type]) => type));
    expect(named.length).toBeGreaterThan(0);
    expect(named.filter((type) => !mappedTypes().includes(type ?? ""))).toStrictEqual([]);
  });

  test("defect 14: AS12345 fails, the case of a MAC stays, stix2-pattern loses its brackets", () => {
    expect(patternOf("AS", "AS12345")).toBe("[autonomous-system:number = 12345]");
    expect(patternOf("mac-address", "00:00:5E:00:53:AF")).toBe("[mac-addr:value = '00:00:5e:00:53:af']");
    const pattern = "([file:name = 'a'] FOLLOWEDBY [file:name = 'b']) WITHIN 300 SECONDS";
    expect(patternOf("stix2-pattern", pattern)).toBe(pattern);
  });

  test("defect 15: a pattern is cut at its first =, and escapes stay", () => {
    const url = "http://evil.example/?a=b' AND url:value = 'c\\";
    expect(pointIndicators(patternOf("url", url))).toMatchObject([{ path: "url:value", value: url }]);
    expect(pointIndicators(patternOf("domain|ip", "evil.example|198.51.100.7"))).toBeUndefined();
  });

  test("the same attribute twice is the same bytes", () => {
    const once = (): string => JSON.stringify(indicatorsOf(given().attribute, given().event, point));
    expect(once()).toBe(once());
    expect(decode(bytes(written()))).toStrictEqual(decode(bytes(written())));
  });
});
