import fc from "fast-check";
import { printPattern } from "../src/pattern/print.ts";
import type {
  ComparisonExpression, IndexStep, KeyStep, Literal, ObjectPath, ObservationExpression, Pattern, Qualifier, TimestampLiteral,
} from "../src/pattern/syntax.ts";

/** How many times more cases than usual a property is tried with. */
export const scale: number = Number(process.env["THREATBUS_TEST_SCALE"] ?? "1");

export function runs(usual: number): { numRuns: number } {
  return { numRuns: Math.max(1, Math.round(usual * scale)) };
}

/** Trees have positions; these have none that mean anything. */
const nowhere = { start: 0, end: 0 };

/** The tree with every position set to 0. */
export function withoutPositions<Node>(node: Node): Node {
  return JSON.parse(JSON.stringify(node, (key, value: unknown) => (key === "start" || key === "end" ? 0 : value))) as Node;
}

const word = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/).filter((text) => text !== "true" && text !== "false");
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.stringMatching(/^[a-z'\\ =\]\n*/[(]{0,12}$/),
);
const digits = fc.oneof(fc.nat().map(String), fc.bigInt({ min: 0n, max: 10n ** 30n }).map(String));
const time: fc.Arbitrary<TimestampLiteral> = fc
  .record({
    at: fc.date({ min: new Date("0001-01-01"), max: new Date("9999-01-01"), noInvalidDate: true }),
    fraction: fc.stringMatching(/^(\.[0-9]{1,7})?$/),
  })
  .map(({ at, fraction }) => ({ kind: "timestamp", value: `${at.toISOString().slice(0, 19)}${fraction}Z`, ...nowhere }));

const number = fc.oneof(
  fc.tuple(fc.constantFrom("", "-"), digits).map(([sign, value]) => ({ kind: "integer" as const, value: sign + value, ...nowhere })),
  fc.stringMatching(/^-?[0-9]{0,4}\.[0-9]{1,5}$/).map((value) => ({ kind: "float" as const, value, ...nowhere })),
);
const text = anyText.map((value) => ({ kind: "string" as const, value, ...nowhere }));
const ordered: fc.Arbitrary<Literal> = fc.oneof(
  text, number, time,
  fc.uint8Array({ maxLength: 6 })
    .map((bytes) => ({ kind: "hex" as const, value: Buffer.from(bytes).toString("hex").toUpperCase(), ...nowhere })),
  fc.uint8Array({ minLength: 1, maxLength: 6 })
    .map((bytes) => ({ kind: "binary" as const, value: Buffer.from(bytes).toString("base64"), ...nowhere })),
);
export const literal: fc.Arbitrary<Literal> = fc.oneof(
  ordered,
  fc.boolean().map((value) => ({ kind: "boolean" as const, value, ...nowhere })),
);

const key: fc.Arbitrary<KeyStep> = fc
  .oneof(word, anyText, fc.constantFrom("SHA-256", "AND", "true", "LAST", "ntfs-ext", "0"))
  .map((name) => ({ kind: "key", name, ...nowhere }));
const index: fc.Arbitrary<IndexStep> = fc
  .oneof(fc.integer(), fc.constant("*" as const))
  .map((value) => ({ kind: "index", index: value, ...nowhere }));
export const objectPath: fc.Arbitrary<ObjectPath> = fc
  .record({
    objectType: fc.oneof(word, fc.constantFrom("ipv4-addr", "x-own-type", "AND-more", "a-")),
    first: key,
    more: fc.array(fc.oneof(key, index), { maxLength: 3 }),
  })
  .map(({ objectType, first, more }) => ({ objectType, steps: [first, ...more], ...nowhere }));

const test: fc.Arbitrary<ComparisonExpression> = fc.oneof(
  fc.record({ path: objectPath, negated: fc.boolean(), operator: fc.constantFrom("=", "!="), value: literal })
    .map((parts) => ({ kind: "comparison" as const, ...parts, ...nowhere })),
  fc.record({ path: objectPath, negated: fc.boolean(), operator: fc.constantFrom("<", "<=", ">", ">="), value: ordered })
    .map((parts) => ({ kind: "comparison" as const, ...parts, ...nowhere })),
  fc.record({
    path: objectPath, negated: fc.boolean(), operator: fc.constantFrom("LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"), value: text,
  })
    .map((parts) => ({ kind: "comparison" as const, ...parts, ...nowhere })),
  fc.record({ path: objectPath, negated: fc.boolean(), values: fc.array(literal, { maxLength: 4 }) })
    .map((parts) => ({ kind: "in" as const, ...parts, ...nowhere })),
  fc.record({ path: objectPath, negated: fc.boolean() }).map((parts) => ({ kind: "exists" as const, ...parts, ...nowhere })),
);

const comparison: fc.Memo<ComparisonExpression> = fc.memo((depth) =>
  depth <= 1 ? test : fc.oneof(
    { weight: 2, arbitrary: test },
    {
      weight: 1,
      arbitrary: fc
        .record({ kind: fc.constantFrom("or", "and"), operands: fc.array(comparison(depth - 1), { minLength: 2, maxLength: 3 }) })
        .map((parts) => ({ ...parts, ...nowhere })),
    },
  ));

const qualifier: fc.Arbitrary<Qualifier> = fc.oneof(
  fc.oneof(digits, fc.stringMatching(/^[0-9]{0,3}\.[0-9]{1,3}$/)).map((seconds) => ({ kind: "within" as const, seconds, ...nowhere })),
  digits.map((times) => ({ kind: "repeats" as const, times, ...nowhere })),
  fc.record({ from: time, until: time }).map((parts) => ({ kind: "startstop" as const, ...parts, ...nowhere })),
);

const observation: fc.Memo<ObservationExpression> = fc.memo((depth) => {
  const bare = comparison(3).map((expression) => ({ kind: "observation" as const, comparison: expression, ...nowhere }));
  if (depth <= 1) return bare;
  return fc.oneof(
    bare,
    fc.record({ expression: observation(depth - 1), qualifiers: fc.array(qualifier, { minLength: 1, maxLength: 3 }) })
      .map((parts) => ({ kind: "qualified" as const, ...parts, ...nowhere })),
    fc.record({
      kind: fc.constantFrom("followedby", "or", "and"),
      operands: fc.array(observation(depth - 1), { minLength: 2, maxLength: 3 }),
    }).map((parts) => ({ ...parts, ...nowhere })),
  );
});

/** Any pattern, every position 0. */
export const pattern: fc.Arbitrary<Pattern> = observation(4);

const pieces = [
  ..."[ ] ( ) : . , * = == != <> < <= > >= ' \\ / /* */ // - + h' b' t' AND OR NOT IN EXISTS START WITHIN SECONDS true 0 5 .5".split(" "),
  " ", "\n", "\r", "\t", "\u00a0", "\u2028", "\0", "\ud800", "\u202e", "é", "😀",
];

/** Text with something put in the place of up to `cut` characters, so that it is often still whole. */
function edited(texts: fc.Arbitrary<string>, cut: number): fc.Arbitrary<string> {
  return fc
    .record({
      text: texts,
      place: fc.double({ min: 0, max: 1, noNaN: true }),
      remove: fc.oneof(fc.constant(0), fc.nat(cut)),
      insert: fc.oneof(fc.constantFrom("", " ", "\n", "/**/"), fc.constantFrom(...pieces)),
    })
    .map(({ text, place, remove, insert }) => {
      const at = Math.round(place * text.length);
      return text.slice(0, at) + insert + text.slice(at + remove);
    });
}

/** Text that is often nearly a pattern. */
export const nearPattern: fc.Arbitrary<string> = fc.oneof(
  edited(pattern.map(printPattern), 3),
  fc.array(
    fc.oneof(
      fc.constantFrom(..."[ ] ( ) : . , * = == != <> < <= > >= ' \\ / /* */ // - +".split(" ")),
      fc.constantFrom(..."AND OR NOT FOLLOWEDBY LIKE MATCHES IN EXISTS START STOP WITHIN SECONDS REPEATS TIMES true false LAST".split(" ")),
      fc.constantFrom("file:name", "a", "x-y", "'text'", "'it\\'s'", "5", "-1.5"),
      fc.constantFrom("h'ff'", "b'QQ=='", "t'2024-01-31T12:00:00Z'", "[a:b = 'c']"),
      fc.constantFrom(" ", "\n", "\t", "\u00a0", "\0", "\ud800", "\u202e", "é", "😀", "__proto__"),
    ),
    { maxLength: 25 },
  ).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 60 }),
);

/** Close to the plain form `[path = 'value']`, on both sides. */
export const nearPlain: fc.Arbitrary<string> = edited(
  fc.constantFrom(
    "[ipv4-addr:value = '198.51.100.7']", "[file:hashes.'SHA-256' = 'aa']", "[url:value='http://x.example/?a=1']", "[true:x = 'a']", "[a:false = 'b']",
    "[a:AND = 'b']", "[a:b.true = 'c']", "[file:trueish.false_1 = '']", "[t:t.h.b = 't']", "[a:'' = '']", "[a-:b = 'x']", "[a:b-c = 'x']",
    "[AND:a = 'b']", "[ANDx:OR_ = 'b']", "[a:b.c.'d'.e = 'f']",
  ),
  2,
);
