import { describe, expect, it } from "vitest";
import { canonicalPattern } from "../src/pattern/canonical.ts";
import { checkPattern } from "../src/pattern/check.ts";
import { parsePath, parsePattern } from "../src/pattern/parser.ts";
import { printPath, printPattern } from "../src/pattern/print.ts";
import type { Pattern } from "../src/pattern/syntax.ts";
import { withoutPositions } from "./pattern-grammar.ts";

/** Each with what it prints as; "" if as it stands. */
const valid: [string, string][] = [
  // Comparison operators and negation.
  ["[file:size = 1280]", ""],
  ["[file:size == 1280]", "[file:size = 1280]"],
  ["[file:size != 1280]", ""],
  ["[file:size <> 1280]", "[file:size != 1280]"],
  ["[file:size<1024]", "[file:size < 1024]"],
  ["[file:size <= 1024]", ""],
  ["[file:size>+1024]", "[file:size > 1024]"],
  ["[file:size>=-1024]", "[file:size >= -1024]"],
  ["[file:size NOT = 1]", ""],
  ["[file:name LIKE'a%']", "[file:name LIKE 'a%']"],
  ["[file:name NOT LIKE 'a%_']", ""],
  ["[process:command_line MATCHES '^.+>-add Global\\\\.cer$']", ""],
  ["[ipv4-addr:value ISSUBSET '198.51.100.0/24']", ""],
  ["[ipv4-addr:value NOT ISSUPERSET '198.51.100.0/24']", ""],
  ["[network-traffic:dst_port IN(443,8443)]", "[network-traffic:dst_port IN (443, 8443)]"],
  ["[file:name NOT IN ('a', true, 1.5, h'00', b'QQ==')]", ""],
  ["[file:name IN ()]", ""],
  ["[EXISTS file:hashes]", ""],
  ["[NOT EXISTS file:hashes[0].'a b']", ""],
  // Literals.
  ["[a:b = '']", ""],
  ["[a:b = 'it\\'s C:\\\\Windows']", ""],
  ["[a:b = 'two\nlines \u2028 \0 😀 \"']", ""],
  ["[a:b = 0]", ""],
  ["[a:b = 123456789012345678901234567890]", ""],
  ["[a:b = .5 OR a:b = -.5 OR a:b = +00.50]", "[a:b = .5 OR a:b = -.5 OR a:b = 00.50]"],
  ["[a:b = true AND c:d = false]", ""],
  ["[a:b = h'' AND a:c = h'ffD8']", ""],
  ["[a:b = b'dGhpcyBpcyBhIHRlc3Q=' OR a:b = b'QUJD' OR a:b = b'+/==']", ""],
  ["[a:b > t'2016-12-31T23:59:60.123456789Z']", ""],
  // Object paths.
  ["[file:hashes.'SHA-256' = 'x']", ""],
  ["[file:'hashes'.'MD5' = 'x']", "[file:hashes.MD5 = 'x']"],
  ["[file:'AND'.'true'.'LAST' = 'x']", ""],
  ["[a:'' = 1]", ""],
  ["[a:'it\\'s'.b = 1]", ""],
  ["[file:extensions.'windows-pebinary-ext'.sections[*].entropy > 7.0]", ""],
  ["[email-message:body_multipart[0].body_raw_ref[-1][+2].name = 'x']", "[email-message:body_multipart[0].body_raw_ref[-1][2].name = 'x']"],
  ["[ a : b [ 1 ] . c = 1 ]", "[a:b[1].c = 1]"],
  ["[network-traffic:start = 1 AND a:h = 1 AND b:t = 1 AND _x-:and = 1]", ""],
  ["[AND-x:b = 1]", ""],
  // Boolean expressions.
  ["[a:b = 1 OR a:c = 2 AND a:d = 3]", ""],
  ["[a:b = 1 OR (a:c = 2 AND a:d = 3)]", "[a:b = 1 OR a:c = 2 AND a:d = 3]"],
  ["[(a:b = 1 OR a:c = 2) AND a:d = 3]", ""],
  ["[a:b = 1 AND (a:c = 2 AND a:d = 3)]", ""],
  ["[((a:b = 1))]", "[a:b = 1]"],
  ["[a:b=1AND c:d=2]", "[a:b = 1 AND c:d = 2]"],
  // Observation expressions and qualifiers.
  ["[a:b = 1] FOLLOWEDBY [c:d = 2] OR [e:f = 3] AND [g:h = 4]", ""],
  ["(([a:b = 1] FOLLOWEDBY [c:d = 2]) OR [e:f = 3]) AND [g:h = 4]", ""],
  ["[a:b = 1] FOLLOWEDBY ([c:d = 2] FOLLOWEDBY [e:f = 3])", ""],
  ["( [(a:b = 1)] )", "[a:b = 1]"],
  ["[a:b = 1] WITHIN 300 SECONDS", ""],
  ["[a:b = 1]WITHIN .5SECONDS", "[a:b = 1] WITHIN .5 SECONDS"],
  ["[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS", ""],
  ["([a:b = 1] FOLLOWEDBY [c:d = 2]) WITHIN 300 SECONDS", ""],
  ["([a:b = 1] REPEATS 2 TIMES) REPEATS 2 TIMES", ""],
  ["([a:b = 1]) WITHIN 5 SECONDS WITHIN 6 SECONDS", ""],
  ["[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'", ""],
  ["[a:b = 1] START '2016-06-01T00:00:00Z' STOP '2016-07-01T00:00:00Z'",
    "[a:b = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'"],
  ["[a:b = 1] WITHIN 5 SECONDS AND [c:d = 2] WITHIN 5 SECONDS", ""],
  // Blanks and comments.
  ["\t\v\f\r\n\u0085\u00a0\u2003\u3000[a:b = 1]\u2029", "[a:b = 1]"],
  ["// all of it\r[a:b /* ] */ = // '\n 1]//", "[a:b = 1]"],
  ["[a:b = 1]/**/", "[a:b = 1]"],
  ["[a:b = '/* no comment */ // here']", ""],
];

describe("patterns", () => {
  it.each(valid)("%j is read", (text, printed) => {
    const tree = parsePattern(text);
    checkPattern(text);
    expect(printPattern(tree)).toBe(printed === "" ? text : printed);
    expect(withoutPositions(parsePattern(printPattern(tree)))).toEqual(withoutPositions(tree));
  });

  it("become a tree in which every node knows its place", () => {
    const text = "([a:b[0] NOT IN (1)] ) WITHIN 5 SECONDS";
    expect(parsePattern(text)).toEqual({
      kind: "qualified", start: 0, end: 39,
      expression: {
        kind: "observation", start: 1, end: 20,
        comparison: {
          kind: "in", negated: true, start: 2, end: 19,
          path: {
            objectType: "a", start: 2, end: 8,
            steps: [{ kind: "key", name: "b", start: 4, end: 5 }, { kind: "index", index: 0, start: 5, end: 8 }],
          },
          values: [{ kind: "integer", value: "1", start: 17, end: 18 }],
        },
      },
      qualifiers: [{ kind: "within", seconds: "5", start: 23, end: 39 }],
    } satisfies Pattern);
  });

  it("bind AND tighter than OR, and OR tighter than FOLLOWEDBY", () => {
    const tree = parsePattern("[a:a=1] AND [a:a=2] OR [a:a=3] FOLLOWEDBY [a:a=4 AND a:a=5 OR a:a=6]");
    expect(tree).toMatchObject({
      kind: "followedby",
      operands: [
        { kind: "or", operands: [{ kind: "and", operands: [{}, {}] }, { kind: "observation" }] },
        { kind: "observation", comparison: { kind: "or", operands: [{ kind: "and", operands: [{}, {}] }, { kind: "comparison" }] } },
      ],
    });
  });

  it("have their escapes undone in the tree", () => {
    expect(parsePattern("[a:'k\\'' = 'C:\\\\x\\'y']"))
      .toMatchObject({ comparison: { path: { steps: [{ name: "k'" }] }, value: { value: "C:\\x'y" } } });
  });
});

describe("object paths", () => {
  it.each([
    ["file:hashes . 'SHA-256'", "file:hashes.'SHA-256'"],
    ["a:'b'[*]", "a:b[*]"],
    ["a:b // key", "a:b"],
  ])("%j alone is %j", (text, path) => {
    expect(printPath(parsePath(text))).toBe(path);
  });

  it.each(["", "a", "a:b = 'x'", "a:b /*", "a:b] OR [c:d", "a:b-c"])("%j is none", (text) => {
    expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: "PATTERN_INVALID" }));
  });
});

describe("canonical text", () => {
  it.each([
    ["[ b:x='1'OR a:x = '2' ]", "[a:x = '2' OR b:x = '1']"],
    ["[a:x = 1 OR (a:x = 2 OR (a:x = 1 OR a:x = 3))]", "[a:x = 1 OR a:x = 2 OR a:x = 3]"],
    ["[a:x = 1 AND (a:y = 2 OR a:y = 2)]", "[a:x = 1 AND a:y = 2]"],
    ["[(a:y = 2 OR a:x = 1) AND a:a <> 1]", "[a:a != 1 AND (a:x = 1 OR a:y = 2)]"],
    ["[b:x = 1] OR [a:x = 1] OR [b:x=1]", "[a:x = 1] OR [b:x = 1]"],
    ["[b:x = 1] AND [a:x = 1] AND [b:x=1]", "[a:x = 1] AND [b:x = 1] AND [b:x = 1]"],
    ["[b:x = 1] FOLLOWEDBY [a:x = 1] FOLLOWEDBY [b:x = 1]", "[b:x = 1] FOLLOWEDBY [a:x = 1] FOLLOWEDBY [b:x = 1]"],
    ["[a:x IN ('c', 'a', 'c', 'b')]", "[a:x IN ('a', 'b', 'c')]"],
    ["[a:x IN ('c', 'c')]", "[a:x = 'c']"],
    ["[a:x NOT IN ('c')]", "[a:x NOT = 'c']"],
    ["[a:x IN ()]", "[a:x IN ()]"],
    ["[a:'x'.'y-z' = h'FFd8']", "[a:x.'y-z' = h'ffd8']"],
    ["[a:x > -.50 AND a:y > 007.0 AND a:z = -0 AND a:w = +5]", "[a:w = 5 AND a:x > -0.5 AND a:y > 7.0 AND a:z = 0]"],
    ["[a:x = t'2024-01-31T12:00:00.120Z' OR a:x = t'2024-01-31T12:00:00.000Z']",
      "[a:x = t'2024-01-31T12:00:00.12Z' OR a:x = t'2024-01-31T12:00:00Z']"],
    ["([a:x = 1] REPEATS 2 TIMES) WITHIN 5.0 SECONDS", "[a:x = 1] REPEATS 2 TIMES WITHIN 5.0 SECONDS"],
    ["([a:x = 1] WITHIN 6 SECONDS) WITHIN 5 SECONDS", "([a:x = 1]) WITHIN 6 SECONDS WITHIN 5 SECONDS"],
    ["[a:x = 1] START '2016-06-01T00:00:00.0Z' STOP '2016-07-01T00:00:00Z'",
      "[a:x = 1] START t'2016-06-01T00:00:00Z' STOP t'2016-07-01T00:00:00Z'"],
  ])("of %j is %j", (text, canonical) => {
    expect(canonicalPattern(text)).toBe(canonical);
    expect(canonicalPattern(canonical)).toBe(canonical);
  });
});
