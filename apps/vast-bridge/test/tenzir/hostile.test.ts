import { existsSync } from "node:fs";
import { join } from "node:path";
import { needs, tenzir, type Tenzir } from "@threatbus/services";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Observable } from "../../src/observable.ts";
import { keyOf } from "../../src/observable.ts";
import { brief, searched, stand, watch, watched, type Stand } from "./stand.ts";

const { describe } = await needs("tenzir");

const nasty = [
  'a"b', "a'b", "a\\b", 'a\\"b', "{x}", "$x", "%s%n", "a|b", "//c", "/*c", "#c", "--help", "-f", "true", "null", "5min", "2026-01-01", "1.2.3.4", "10.0.0.0/8",
  "line\nbreak", "carriage\rreturn", "tab\there", "nul\u0000byte", "escape\u001b[31m", "u\u2028v", "\ufeffbom", "ümläut", "日本語", "🦊", "a\u0301", " lead", "trail ",
  '" | shell "touch PROOF', '"]) | shell "touch PROOF" //', "`touch PROOF`", "$(touch PROOF)", "x".repeat(8_000), "__proto__", "[]", "a.b",
];

/** Put to a path of a URL, where nearly everything can stand, and to an e-mail address. */
const hostile = (text: string): Observable[] => [{ kind: "url", value: `http://evil.example/${text}` }, { kind: "email", value: `${text}@evil.example` }];

describe("an indicator's text", () => {
  let node: Tenzir, one: Stand;
  const proofs = (): boolean => [node.folder, process.cwd(), one.stateDir].some((folder) => existsSync(join(folder, "PROOF")));
  beforeAll(async () => {
    node = await tenzir();
    one = await stand(node.endpoint, node.binary, { index_up_to: 0 });
    const events = nasty.map((text, n) => JSON.stringify({ timestamp: "2026-03-04T05:06:07.891011+0000", flow_id: n, event_type: "http", src_ip: "192.0.2.1", dest_ip: null, http: { hostname: "evil.example", url: `/${text}` } }));
    await node.run("from_stdin { read_suricata } | import", `${events.join("\n")}\n`);
  });
  afterAll(async () => {
    await one?.stop();
    await node?.stop();
  });

  it("finds itself, and does nothing else, in the past", async () => {
    const hits = await searched(one.engine, nasty.flatMap(hostile));
    // What no URL is, is found in none.
    const readable = nasty.filter((text) => !/[\s#]/.test(text) && text.length < 8_000);
    expect([...new Set(hits.map(({ observable }) => keyOf(observable)))].sort()).toEqual(expect.arrayContaining(readable.map((text) => `url:http://evil.example/${text}`).sort()));
    expect(proofs()).toBe(false);
  });

  it("does nothing else, in a live table", async () => {
    const { session, hits, over } = await watch(one.engine, nasty.flatMap(hostile));
    await session.add(watched(nasty.map((text) => ({ kind: "domain", value: text }))));
    await session.remove(nasty.flatMap(hostile));
    await session.add(watched([{ kind: "ip", value: "203.0.113.1" }]));
    await node.run("from_stdin { read_suricata } | import", '{"timestamp":"2026-03-04T05:06:07Z","event_type":"flow","src_ip":"203.0.113.1"}\n');
    await expect.poll(() => hits.length).toBeGreaterThan(0);
    expect(hits.map(({ observable }) => keyOf(observable))).toEqual(["ip:203.0.113.1"]);
    await session.close();
    await over;
    expect(proofs()).toBe(false);
  });

  it("is found by the index as well", async () => {
    const exact = await stand(node.endpoint, node.binary, { thorough: false, fields: { file_hash: ["http.url"] } as never });
    const hits = await searched(exact.engine, [{ kind: "md5", value: "0".repeat(32) }, ...nasty.map((text): Observable => ({ kind: "md5", value: `/${text}` }))]);
    expect(hits).toEqual([]);
    expect(proofs()).toBe(false);
    await exact.stop();
  });

  it("that is no address is no key: a null key would match every event without one", async () => {
    const bogus = ["", "bogus", "1.2.3.4/32", "999.1.1.1", "::ffff:", "0x7f.1", "1.2.3.4\u0000"].flatMap((value): Observable[] => [{ kind: "ip", value }, { kind: "cidr", value }]);
    expect(await searched(one.engine, [...bogus, { kind: "ip", value: "203.0.113.250" }])).toEqual([]);
    const { session, hits } = await watch(one.engine, bogus);
    await session.add(watched([{ kind: "ip", value: "203.0.113.2" }]));
    const lines = ['{"timestamp":"2026-03-04T05:06:07Z","event_type":"flow","src_ip":null}', '{"timestamp":"2026-03-04T05:06:07Z","event_type":"flow","src_ip":"203.0.113.2"}'];
    await node.run("from_stdin { read_suricata } | import", `${lines.join("\n")}\n`);
    await expect.poll(() => hits.length).toBeGreaterThan(0);
    await session.close();
    expect(hits.map(({ event }) => event["src_ip"])).toEqual(["203.0.113.2"]);
  });

  it("comes back as it went in, whatever it is", async () => {
    const texts = fc.sample(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).filter((text) => !/[\p{Surrogate}\s#?@\\\p{Cc}]/u.test(text)), 300);
    const events = texts.map((text) => JSON.stringify({ timestamp: "2026-03-04T05:06:07Z", event_type: "http", http: { hostname: "any.example", url: `/${text}` } }));
    await node.run("from_stdin { read_suricata } | import", `${events.join("\n")}\n`);
    const wanted = [...new Set(texts)].map((text): Observable => ({ kind: "url", value: `http://any.example/${text}` }));
    const hits = await searched(one.engine, wanted);
    expect(new Set(hits.map(({ observable }) => keyOf(observable)))).toEqual(new Set(wanted.map(keyOf)));
    expect(hits.map(brief).length).toBeGreaterThanOrEqual(wanted.length);
  });
});
