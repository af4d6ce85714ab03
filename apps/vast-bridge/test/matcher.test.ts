import { describe, expect, test } from "vitest";
import type { JsonObject } from "../src/engine.ts";
import { fieldOptions } from "../src/field-options.ts";
import type { FieldOptions } from "../src/field-options.ts";
import { fieldContents, kindsOf, presets } from "../src/fields.ts";
import { Matcher } from "../src/matcher.ts";
import { observableKinds, observableOf } from "../src/observable.ts";
import type { Observable, ObservableKind } from "../src/observable.ts";
import { z } from "zod";
import { lines } from "./events.ts";

const { suricata7, suricata8, zeek, ocsf } = lines;
const parse = (line: string): JsonObject => JSON.parse(line) as JsonObject;

function matcher(options: z.input<z.ZodObject<typeof fieldOptions>>, ...observables: readonly Observable[]): Matcher {
  const made = new Matcher(z.strictObject(fieldOptions).parse(options) satisfies FieldOptions);
  for (const observable of observables) made.watchlist.add(observable);
  return made;
}

describe("is found", () => {
  test.each<[kind: ObservableKind, value: string, line: string, field: string]>([
    ["ip", "192.0.2.10", suricata7.query, "src_ip"],
    ["domain", "evil.example", suricata7.query, "dns.rrname"],
    ["domain", "cdn.evil.example", suricata7.answer, "dns.answers[].rdata"],
    ["ip", "203.0.113.9", suricata7.answer, "dns.answers[].rdata"],
    ["cidr", "203.0.113.0/28", suricata7.answer, "dns.answers[].rdata"],
    ["domain", "evil.example", suricata7.http, "http.hostname"],
    ["url", "http://evil.example/gate.php?id=7", suricata7.http, "http.url"],
    ["url", "evil.example/gate.php?id=7", suricata7.http, "http.url"],
    ["url", "http://portal.example/start", suricata7.http, "http.http_refer"],
    ["url", "http://evil.example/gate.php", suricata7.proxy, "http.url"],
    ["certificate", "4db1aa2fcb7e415108e3c10b8e24672fb14e0b2d", suricata7.tls, "tls.fingerprint"],
    ["ja3", "e7d705a3286e19ea42f587b344ee6865", suricata7.tls, "tls.ja3.hash"],
    ["ja3s", "ec74a5c51106f0419184d0dd08fb05bc", suricata7.tls, "tls.ja3s.hash"],
    ["md5", "9e107d9d372bb6826bd81d3542a419d6", suricata7.fileinfo, "fileinfo.md5"],
    ["sha1", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", suricata7.fileinfo, "fileinfo.sha1"],
    ["sha256", "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", suricata7.fileinfo, "fileinfo.sha256"],
    ["email", "billing@invoice.example", suricata7.smtp, "smtp.mail_from"],
    ["email", "bo@good.example", suricata7.smtp, "email.to[]"],
    ["url", "http://evil.example/click", suricata7.smtp, "email.url[]"],
    ["ip", "2001:db8:bad::1", suricata7.flow6, "dest_ip"],
    ["cidr", "2001:db8:bad::/48", suricata7.flow6, "dest_ip"],
    ["domain", "evil.example", suricata8.request, "dns.queries[].rrname"],
    ["ip", "2001:db8:bad::1", suricata8.response, "dns.answers[].rdata"],
    ["ip", "203.0.113.53", suricata8.response, "dns.additionals[].rdata"],
    ["domain", "alt.evil.example", suricata8.tls, "tls.subjectaltname[]"],
    ["ja4", "t13d1516h2_8daaf6152771_b186095e22b6", suricata8.tls, "tls.ja4"],
    ["ja3", "e7d705a3286e19ea42f587b344ee6865", suricata8.quic, "quic.ja3.hash"],
    ["ip", "203.0.113.66", suricata8.alert, "alert.source.ip"],
    ["sha256", "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", suricata8.alert, "files[].sha256"],
    ["ip", "203.0.113.9", zeek.conn, "id.resp_h"],
    ["ip", "203.0.113.9", zeek.nested, "id.resp_h"],
    ["domain", "cdn.evil.example", zeek.dns, "answers[]"],
    ["url", "http://evil.example/gate.php?id=7", zeek.http, "uri"],
    ["url", "http://evil.example:8080/gate.php?id=7", zeek.http, "uri"],
    ["domain", "login.evil.example", zeek.ssl, "server_name"],
    ["certificate", "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", zeek.ssl, "cert_chain_fps[]"],
    ["ip", "203.0.113.9", zeek.files, "tx_hosts[]"],
    ["sha1", "2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", zeek.files, "sha1"],
    ["email", "billing@invoice.example", zeek.smtp, "mailfrom"],
    ["ip", "203.0.113.9", zeek.smtp, "path[]"],
    ["domain", "evil.example", ocsf.dns, "query.hostname"],
    ["url", "https://evil.example/gate.php", ocsf.http, "http_request.url.url_string"],
    ["ja3", "e7d705a3286e19ea42f587b344ee6865", ocsf.http, "tls.ja3_hash.value"],
    ["sha256", "d7a8fbb307d7809469ca9abcb0082e4f8d5651e46d3cdb762d02d0bf37c9e592", ocsf.file, "file.hashes[].value"],
  ])("%s %s", (kind, value, line, field) => {
    expect(matcher({}, { kind, value }, { kind: "ip", value: "192.0.2.99" }).match(parse(line))).toStrictEqual([{ observable: { kind, value }, field }]);
  });
});

describe("is not found", () => {
  test.each<[what: string, observable: Observable, line: string]>([
    ["a domain in a name below it", { kind: "domain", value: "example" }, suricata7.query],
    ["an address beside its block", { kind: "cidr", value: "203.0.113.0/29" }, suricata7.answer],
    ["a URL of another scheme", { kind: "url", value: "https://evil.example/gate.php?id=7" }, suricata7.http],
    ["a URL in other letters", { kind: "url", value: "http://evil.example/GATE.php?id=7" }, suricata7.http],
    ["a hash of another thing", { kind: "ja3s", value: "e7d705a3286e19ea42f587b344ee6865" }, suricata7.tls],
    ["a value in a field of another tool", { kind: "md5", value: "9e107d9d372bb6826bd81d3542a419d6" }, `{"event_type":"x","md5":"9e107d9d372bb6826bd81d3542a419d6"}`],
    ["a value under __proto__", { kind: "ip", value: "192.0.2.10" }, `{"event_type":"x","__proto__":{"src_ip":"192.0.2.10"}}`],
  ])("%s", (_, observable, line) => {
    expect(matcher({}, observable).match(parse(line))).toStrictEqual([]);
  });
});

test("an event of an unknown tool is searched in the fields of all", () => {
  const md5 = { kind: "md5", value: "9e107d9d372bb6826bd81d3542a419d6" } as const;
  expect(matcher({}, md5).match({ md5: md5.value })).toStrictEqual([{ observable: md5, field: "md5" }]);
});

test("with subdomains, a domain is found in the names below it, and each one is told", () => {
  const [low, high] = [{ kind: "domain", value: "cdn.evil.example" }, { kind: "domain", value: "evil.example" }] as const;
  expect(matcher({ subdomains: true }, low, high).match(parse(zeek.dns))).toStrictEqual([low, high].map((observable) => ({ observable, field: "answers[]" })));
});

test("fields of other tools are options; without presets they are all there is", () => {
  const ip = { kind: "ip", value: "203.0.113.9" } as const;
  const other = matcher({ presets: [], fields: { ip: ["client.addrs[]"] } }, ip);
  expect(other.match({ src_ip: ip.value })).toStrictEqual([]);
  expect(other.match({ client: { addrs: ["192.0.2.1", ip.value] } })).toStrictEqual([{ observable: ip, field: "client.addrs[]" }]);
  expect(other.match({ "client.addrs": ip.value })).toStrictEqual([{ observable: ip, field: "client.addrs[]" }]);
});

test("what is removed is not found, and comes back when it is added again", () => {
  const ip = { kind: "cidr", value: "203.0.113.0/24" } as const;
  const { watchlist } = matcher({});
  expect([watchlist.add(ip), watchlist.add(ip), watchlist.size]).toStrictEqual([true, false, 1]);
  expect(watchlist.find("ip", "203.0.113.9")).toStrictEqual([ip]);
  expect([watchlist.remove(ip), watchlist.remove(ip), watchlist.size]).toStrictEqual([true, false, 0]);
  expect(watchlist.find("ip", "203.0.113.9")).toStrictEqual([]);
});

test("every kind of observable is looked for, and every preset's fields are paths", () => {
  expect(new Set(fieldContents.flatMap((content) => kindsOf[content]))).toStrictEqual(new Set(observableKinds));
  for (const { fields } of Object.values(presets)) {
    expect(z.strictObject(fieldOptions).safeParse({ fields }).error).toBeUndefined();
    const all = Object.values(fields).flat();
    expect(new Set(all).size).toBe(all.length);
  }
});

test("text that is very long is no value", () => {
  const url = `http://evil.example/${"a".repeat(9_000)}`;
  expect(matcher({}, observableOf("evil.example") as Observable).match({ ts: 1, query: "evil.example.".repeat(1_000), referrer: url })).toStrictEqual([]);
});
