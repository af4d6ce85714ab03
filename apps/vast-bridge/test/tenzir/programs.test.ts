import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fieldContents, presets } from "../../src/fields.ts";
import { observableKinds, type Observable } from "../../src/observable.ts";
import { explain } from "../../src/engines/tenzir/explain.ts";
import { marksOf, scopesFor } from "../../src/engines/tenzir/fields.ts";
import { indexSearch, valuesOf } from "../../src/engines/tenzir/index-search.ts";
import { keysOf } from "../../src/engines/tenzir/keys.ts";
import { lookupProgram } from "../../src/engines/tenzir/lookup.ts";
import { tenzirOptions } from "../../src/engines/tenzir/options.ts";
import { planFor } from "../../src/engines/tenzir/plan.ts";
import { fieldOf, listFrom, quote, spellingFor, stepsOf, time } from "../../src/engines/tenzir/tql.ts";

const options = tenzirOptions.parse({});
const everything = new Set(observableKinds);
const flat = spellingFor(["flat_builtin_names"]);

describe("TQL", () => {
  it.each([["plain", '"plain"'], ['a"b', '"a\\"b"'], ["a\\b", '"a\\\\b"'], ['\\"', '"\\\\\\""'], ["", '""'], ['"} | shell "x', '"\\"} | shell \\"x"']])("quotes %j", (text, quoted) => {
    expect(quote(text)).toBe(quoted);
  });

  it("lets no text out of its quotes", () => {
    // What is left once escapes are taken away is one pair of quotes.
    const text = fc.string({ unit: fc.oneof(fc.constantFrom('"', "\\"), fc.string({ unit: "binary", minLength: 1, maxLength: 1 })) });
    fc.assert(fc.property(text, (given) => {
      expect(quote(given).replace(/\\[\\"]/g, "").match(/"/g)).toHaveLength(2);
    }));
  });

  it("names fields, files, times and operators", () => {
    expect(stepsOf("dns.answers[].rdata")).toEqual([{ name: "dns", list: false }, { name: "answers", list: true }, { name: "rdata", list: false }]);
    expect(fieldOf("event", 'from "x"')).toBe('event["from \\"x\\""]?');
    expect(listFrom('/data/a"b')).toBe('file_contents("/data/a\\"b").parse_json(raw=true)');
    expect(time(0)).toBe("1970-01-01T00:00:00.000Z");
    expect(flat("create_lookup_table")).toBe("context_create_lookup_table");
    expect(spellingFor(["modules", 5, null])("enrich")).toBe("context::enrich");
  });
});

describe("keys", () => {
  it.each<[Observable, unknown[]]>([
    [{ kind: "ip", value: "2001:db8::1" }, [{ ip: "2001:db8::1" }]],
    [{ kind: "cidr", value: "10.0.0.0/8" }, [{ net: "10.0.0.0/8" }]],
    [{ kind: "domain", value: "evil.example" }, [{ text: "evil.example" }]],
    [{ kind: "domain", value: "xn--bcher-kva.example" }, [{ text: "xn--bcher-kva.example" }, { text: "bücher.example" }]],
    [{ kind: "url", value: "https://evil.example:8443/A?b#c" }, [{ text: "evil.example/A?b" }]],
    [{ kind: "url", value: "evil.example?x" }, [{ text: "evil.example/?x" }]],
    [{ kind: "url", value: "http://[2001:db8::1]/x" }, [{ text: "[2001:db8::1]/x" }]],
    [{ kind: "md5", value: "9e107d9d372bb6826bd81d3542a419d6" }, [{ text: "9e107d9d372bb6826bd81d3542a419d6" }]],
    [{ kind: "email", value: "\ud800@evil.example" }, []],
    [{ kind: "ip", value: "bogus" }, []],
    [{ kind: "cidr", value: "10.0.0.0/99" }, []],
  ])("of %j", (observable, lines) => {
    expect(keysOf(observable).map(({ line }) => JSON.parse(line) as unknown)).toEqual(lines);
  });

  it("are one line each, whatever the text", () => {
    fc.assert(fc.property(fc.constantFrom(...observableKinds), fc.string({ unit: "binary" }), (kind, value) => {
      for (const { line } of keysOf({ kind, value })) expect(line).not.toMatch(/[\r\n]/);
    }));
  });
});

describe("the lookup program", () => {
  const program = (kinds: ReadonlySet<Observable["kind"]>, subdomains = false): string =>
    lookupProgram({ source: ["export"], scopes: scopesFor(options, kinds), marks: marksOf(options), subdomains, tables: { ip: "T-ip", text: "T-text" }, spelling: flat, tail: ["write_ndjson"] });

  it("looks into every field of the presets", () => {
    const text = program(everything);
    for (const { fields, urls } of Object.values(presets)) {
      const paths = [...fieldContents.flatMap((content) => fields[content]), ...urls.map(({ target }) => target)];
      for (const path of paths) expect(text).toContain(stepsOf(path).map(({ name, list }) => `["${name}"]?${list ? "[0]?" : ""}`).join(""));
    }
  });

  it("looks only where the kind can be", () => {
    const text = program(new Set(["ja4"]));
    expect(text).toContain('["ja4"]');
    expect(text).not.toContain('"src_ip"');
    expect(text).not.toContain("T-ip");
  });

  it("asks about no label that it does not need", () => {
    expect(program(new Set(["domain"]))).not.toContain("{5}");
    expect(program(new Set(["domain"]), true)).toContain("^([^.]+\\\\.){5}");
  });

  it("keeps its braces in pairs", () => {
    let depth = 0;
    for (const line of program(everything, true).split("\n")) {
      if (/^\s*if .*\{$/.test(line)) depth++;
      if (/^\s*\}$/.test(line)) depth--;
      expect(depth).toBeGreaterThanOrEqual(0);
    }
    expect(depth).toBe(0);
  });

  it("is explained without the indicator in it", () => {
    const lines = explain({ kind: "domain", value: "evil.example" }, options, flat);
    expect(lines.filter((line) => line.includes("evil"))).toEqual(['// {"text":"evil.example"}']);
    expect(lines).toContain("export");
    expect(explain({ kind: "ip", value: "bogus" }, options, flat)).toEqual([]);
  });
});

describe("the plan of a search", () => {
  const schemas = new Map([
    ["suricata.flow", new Map([["event_type", "string"], ["src_ip", "ip"], ["dest_ip", "ip"]])],
    ["suricata.dns", new Map([["event_type", "string"], ["src_ip", "ip"], ["dns.rrname", "string"], ["dns.answers.rdata", "string"]])],
    ["suricata.fileinfo", new Map([["event_type", "string"], ["fileinfo.md5", "string"]])],
    ["zeek.files", new Map([["ts", "time"], ["tx_hosts", "list<ip>"], ["md5", "string"]])],
    ["custom", new Map([["a", "int64"]])],
  ]);
  const plan = (kinds: Observable["kind"][], useIndex: boolean | "only" = true): { index: readonly string[]; read: readonly string[]; paths: string[] } => {
    const set = new Set(kinds);
    const { index, read } = planFor(schemas, scopesFor(options, set), set, useIndex);
    return { index: index.schemas, read: read.schemas, paths: [...new Set([...index.fields, ...read.scopes.flatMap(({ fields }) => fields)].map(({ path }) => path))].sort() };
  };

  it("asks the index where it knows all, and reads the rest", () => {
    expect(plan(["ip"])).toEqual({ index: ["suricata.flow"], read: ["suricata.dns", "zeek.files"], paths: ["dest_ip", "dns.answers[].rdata", "dns.rrname", "src_ip", "tx_hosts[]"] });
    expect(plan(["md5"])).toEqual({ index: ["suricata.fileinfo", "zeek.files"], read: [], paths: ["fileinfo.md5", "md5"] });
    expect(plan(["domain"])).toMatchObject({ index: [], read: ["suricata.dns"] });
  });

  it("reads all for many, and nothing if only the index is wanted", () => {
    expect(plan(["ip"], false)).toMatchObject({ index: [], read: ["suricata.flow", "suricata.dns", "zeek.files"] });
    expect(plan(["ip", "domain"], "only")).toEqual({ index: ["suricata.flow", "suricata.dns"], read: [], paths: ["dest_ip", "dns.rrname", "src_ip"] });
  });

  it("leaves out schemas without a field to look into", () => {
    expect(plan(["ja3"])).toEqual({ index: [], read: [], paths: [] });
  });

  it("names blocks one by one, from a file", () => {
    const values = valuesOf([{ kind: "ip", value: "1.2.3.4" }, { kind: "cidr", value: "10.0.0.0/8" }, { kind: "cidr", value: "11.0.0.0/8" }, { kind: "md5", value: "ab" }]);
    expect(values).toEqual({ addresses: ["1.2.3.4"], blocks: ["10.0.0.0/8", "11.0.0.0/8"], texts: ["1.2.3.4", "ab", "AB"] });
    const files = { addresses: "/s/a", blocks: "/s/b", texts: "/s/t" };
    const fields = [{ content: "ip", path: "id.orig_h", type: "ip" }, { content: "file_hash", path: "md5", type: "string" }] as const;
    expect(indexSearch(fields, values, files, ['(@name == "x")'])?.at(-1)).toBe(
      'where (@name == "x") and (this["id"]["orig_h"] in $addresses or this["id"]["orig_h"] in $blocks[0] or this["id"]["orig_h"] in $blocks[1] or this["md5"] in $texts)',
    );
    // A digest is no address.
    expect(indexSearch(fields.slice(0, 1), valuesOf([{ kind: "md5", value: "ab" }]), files, [])).toBeUndefined();
    expect(indexSearch(fields.slice(1), valuesOf([{ kind: "cidr", value: "10.0.0.0/8" }]), files, [])).toBeUndefined();
  });
});
