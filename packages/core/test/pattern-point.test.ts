import { describe, expect, it } from "vitest";
import { isThreatbusError } from "../src/errors.ts";
import { checkPattern } from "../src/pattern/check.ts";
import { pointIndicators, pointPattern } from "../src/pattern/point.ts";
import { quote } from "../src/pattern/print.ts";

describe("point indicators", () => {
  it.each<[string, [string, string, string][]]>([
    ["[ipv4-addr:value = '198.51.100.7']", [["ipv4-addr:value", "198.51.100.7", "string"]]],
    ["[ipv4-addr:value = '198.51.100.0/24']", [["ipv4-addr:value", "198.51.100.0/24", "string"]]],
    [" ( [ ( ipv4-addr:'value'=='198.51.100.7' /* = */ ) ] ) ", [["ipv4-addr:value", "198.51.100.7", "string"]]],
    ["[file:'hashes'.'SHA-256' = 'AB']", [["file:hashes.'SHA-256'", "AB", "string"]]],
    ["[url:value = 'http://x.example/?a=1&b=\\'2\\' AND c:d = 3']", [["url:value", "http://x.example/?a=1&b='2' AND c:d = 3", "string"]]],
    ["[file:name = 'C:\\\\new\\\\\\'x\\'']", [["file:name", "C:\\new\\'x'", "string"]]],
    ["[network-traffic:dst_port = 443]", [["network-traffic:dst_port", "443", "integer"]]],
    ["[a:b = true]", [["a:b", "true", "boolean"]]],
    ["[a:b = t'2024-01-31T12:00:00Z']", [["a:b", "2024-01-31T12:00:00Z", "timestamp"]]],
    ["[a:b = 'x' OR (c:d = 'y' OR a:b IN ('z', 'x'))]",
      [["a:b", "x", "string"], ["c:d", "y", "string"], ["a:b", "z", "string"], ["a:b", "x", "string"]]],
    ["[a:b = 'x'] OR ([c:d = 'y'] OR [e:f IN (1, 2.5)])",
      [["a:b", "x", "string"], ["c:d", "y", "string"], ["e:f", "1", "integer"], ["e:f", "2.5", "float"]]],
  ])("%j names its values", (text, points) => {
    expect(pointIndicators(text)).toEqual(points.map(([path, value, kind]) => ({ path, value, kind })));
  });

  it.each([
    // One object type joined by AND looks like a point to a reader that counts types and cuts at the first `=`.
    "[file:name = 'a.exe' AND file:hashes.MD5 = 'bb']",
    "[domain-name:value = 'x.example' AND domain-name:resolves_to_refs[*].value = '198.51.100.7']",
    "[a:b = 'x' OR (a:b = 'y' AND a:c = 'z')]",
    "[a:b = 'x'] AND [a:b = 'y']",
    "[a:b = 'x'] FOLLOWEDBY [a:b = 'y']",
    "[a:b = 'x'] OR [a:b LIKE 'y']",
    "[a:b != 'x']",
    "[a:b > 5]",
    "[a:b NOT = 'x']",
    "[a:b NOT IN ('x')]",
    "[a:b IN ()]",
    "[a:b ISSUBSET '198.51.100.0/24']",
    "[EXISTS a:b]",
    "[a:b = 'x'] WITHIN 5 SECONDS",
    "[a:b = 'x'] REPEATS 2 TIMES",
    "[a:b = 'x'] START t'2024-01-31T12:00:00Z' STOP t'2024-02-01T12:00:00Z'",
  ])("%j is none", (text) => {
    expect(pointIndicators(text)).toBeUndefined();
  });

  it("of what is no pattern is an error", () => {
    expect(() => pointIndicators("alert tcp any any -> any any")).toThrow(expect.objectContaining({ code: "PATTERN_INVALID" }));
  });
});

describe("point patterns", () => {
  it("escape the value", () => {
    expect(pointPattern("file:name", "C:\\it's")).toBe("[file:name = 'C:\\\\it\\'s']");
    expect(quote("a\\'b")).toBe("'a\\\\\\'b'");
  });

  it("quote the keys that need it, and no other", () => {
    expect(pointPattern("file:'hashes'.'SHA-256'", "ab")).toBe("[file:hashes.'SHA-256' = 'ab']");
  });

  it("take numbers and booleans as such", () => {
    expect(pointPattern("network-traffic:dst_port", 443)).toBe("[network-traffic:dst_port = 443]");
    expect(pointPattern("a:b", -0.25)).toBe("[a:b = -0.25]");
    expect(pointPattern("a:b", false)).toBe("[a:b = false]");
  });

  it("stay within the longest text that is read", () => {
    const longest = pointPattern("a:b", "x".repeat(65_536 - "[a:b = '']".length));
    checkPattern(longest);
    expect(longest).toHaveLength(65_536);
  });

  it.each<[string, string | number]>([
    ["a:b = 'x' OR c:d", "v"], ["a:b /*", "v"], ["file:hashes.SHA-256", "v"], ["a", "v"], ["", "v"],
    ["a:b", Number.NaN], ["a:b", Infinity], ["a:b", 1e21], ["a:b", 1e-7], ["a:b", "x".repeat(65_536)],
  ])("of %j and %j are refused", (path, value) => {
    let thrown: unknown;
    try {
      pointPattern(path, value);
    } catch (error) {
      thrown = error;
    }
    expect(isThreatbusError(thrown, "PATTERN_INVALID")).toBe(true);
  });
});
