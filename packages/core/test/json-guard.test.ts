import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isThreatbusError, message, parseJson } from "../src/index.ts";
import { indicator, scale } from "./samples.ts";

/** JSON as it is written: members in a list, so that a key may come twice. */
type Written =
  | { readonly kind: "plain"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly Written[]; readonly blank: string }
  | { readonly kind: "object"; readonly members: readonly (readonly [Key, Written])[]; readonly blank: string };
interface Key {
  readonly name: string;
  readonly text: string;
}

const blank = fc.constantFrom("", "", "", " ", "\n", "\t ");
/** Few and short, so that repeats are common and lengths meet by chance. */
const key: fc.Arbitrary<Key> = fc.constantFrom(
  ...["", "a", "b", "ab", "é", "😀", ":", "0", "constructor"].map((name) => ({ name, text: JSON.stringify(name) })),
  { name: "a", text: '"\\u0061"' },
  { name: '"', text: '"\\""' },
  { name: "\\", text: '"\\\\"' },
);
const plain = fc.constantFrom(
  "0", "-0", "1", "9", "10", "1e1", "99.5", "100", "1e2", "1E+2", "5e2", "999", "999.9", "1000", "1e3", "-5", "0.1", "1e-9", "9007199254740993",
  "true", "false", "null", '""', '"a"', '":"', '"{\\"a\\":1}"', '"\\u003a"', '"\\\\"', '"é😀"', '"\ufffd"',
).map((text): Written => ({ kind: "plain", text }));
const { tree } = fc.letrec<{ tree: Written }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    plain,
    fc.record({ kind: fc.constant("list" as const), items: fc.array(tie("tree"), { maxLength: 3 }), blank }),
    fc.record({ kind: fc.constant("object" as const), members: fc.array(fc.tuple(key, tie("tree")), { maxLength: 4 }), blank }),
  ),
}));

function print(written: Written): string {
  if (written.kind === "plain") return written.text;
  const { blank } = written;
  if (written.kind === "list") return `[${blank}${written.items.map(print).join(`${blank},`)}]`;
  return `{${written.members.map(([{ text }, value]) => `${blank}${text}${blank}:${print(value)}`).join(",")}${blank}}`;
}

function repeats(written: Written): boolean {
  if (written.kind === "plain") return false;
  if (written.kind === "list") return written.items.some(repeats);
  const names = written.members.map(([{ name }]) => name);
  return new Set(names).size < names.length || written.members.some(([, value]) => repeats(value));
}

/** What `JSON.parse` has to give, without an object whose keys it could misread. */
function canonical(written: Written): string {
  if (written.kind === "plain") return JSON.stringify(JSON.parse(written.text));
  if (written.kind === "list") return `[${written.items.map(canonical).join()}]`;
  // Keys that are whole numbers come first.
  const members = written.members.map(([{ name }, value]) => [name, canonical(value)] as const);
  const sorted = [...members.filter(([name]) => name === "0"), ...members.filter(([name]) => name !== "0")];
  return `{${sorted.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join()}}`;
}

describe("a key given twice", () => {
  it("is found however it is written, and nothing else is taken for one", () => {
    fc.assert(fc.property(tree, (written) => {
      const text = print(written);
      if (repeats(written)) expect(() => parseJson(Buffer.from(text))).toThrowError(expect.objectContaining({ reason: "keys" }) as Error);
      // Compared as text: a member named constructor confuses an assertion that compares objects.
      else expect(JSON.stringify(parseJson(Buffer.from(text)))).toBe(canonical(written));
    }), { numRuns: 5_000 * scale });
  });

  it.each(['{"a":1e2,"a":1}', '{"a":"\\u0061\\u0061","a":""}', '{"a":1000000000,"a":1}', '[{"a":0,"a":0}]', '{"":{"":0},"":{"":0}}'])("%s", (text) => {
    expect(() => parseJson(Buffer.from(text))).toThrowError(expect.objectContaining({ reason: "keys" }) as Error);
  });
});

describe("a key with escapes", () => {
  it.each([['{"h":2,"\\"":0}', '"'], ['{"h":2,"\\u0061":0}', "a"], ['{"h":2,"\\n" : 0}', "\n"], ['{"h":2,"\\\\":0}', "\\"], ['{"h":"\\"\\":","\\u005c\\"":0}', '\\"']])("%s is read right behind one that is a backslash", (text, key) => {
    JSON.parse('{"h":1,"\\\\":0}');
    JSON.parse('{"h":1,"\\\\\\"":0}');
    expect(Object.keys(parseJson(Buffer.from(text)) as object)).toEqual(["h", key]);
  });

  it.each(['{"h":2,"\\u0061":0,"a":1}', '{"h":2,"\\"":0,"\\"":1}', '{"h":2,"\\\\":0,"\\u005f_proto__":1}', '{"h":{"\\\\":0},"\\u0068":1}'])("%s is refused there too", (text) => {
    JSON.parse('{"h":1,"\\\\":0}');
    expect(() => parseJson(Buffer.from(text))).toThrowError(expect.objectContaining({ reason: "keys" }) as Error);
  });
});

it.each(["a", "\\\\", "\\u0061", " "])("sixteen mebibytes of %s beside a key that is a backslash are read", (piece) => {
  const long = piece.repeat(15 * 1024 * 1024 / piece.length);
  for (const text of [`{"a":"${long}","\\\\":0}`, `{"${long}\\"":0,"\\\\":1}`]) expect(Object.keys(parseJson(Buffer.from(text)) as object)[1]).toBe("\\");
});

it("what a program made is bounded too", () => {
  const large = (): unknown => message(indicator("198.51.100.7", { x_filler: "x".repeat(16 * 1024 * 1024) }));
  expect(large).toThrowError(expect.objectContaining({ reason: "size" }) as Error);
});

it("text that is no YARA rule is refused in linear time", () => {
  for (const text of ["\n".repeat(400_000), "private\n".repeat(50_000), "rule ".repeat(80_000), `rule ${"a".repeat(400_000)}`, `${"rule a\n".repeat(60_000)}`]) {
    let reason: unknown;
    try {
      message("yara/rule", text);
    } catch (thrown) {
      reason = isThreatbusError(thrown, "MESSAGE_REFUSED") ? thrown.reason : thrown;
    }
    expect(reason).toBe("rule");
  }
});
