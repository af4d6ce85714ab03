import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isThreatbusError } from "../src/errors.ts";
import { canonicalPattern } from "../src/pattern/canonical.ts";
import { checkPattern } from "../src/pattern/check.ts";
import { maxPatternLength, parsePattern } from "../src/pattern/parser.ts";
import { pointIndicators, pointPattern } from "../src/pattern/point.ts";
import { printPath, printPattern } from "../src/pattern/print.ts";
import type { ComparisonExpression, ObservationExpression } from "../src/pattern/syntax.ts";
import { literal, nearPattern, nearPlain, objectPath, pattern, runs, withoutPositions } from "./pattern-grammar.ts";

/** "ok", or the error's message; anything but PATTERN_INVALID fails the test. */
function verdict(read: (text: string) => unknown, text: string): string {
  try {
    read(text);
    return "ok";
  } catch (error) {
    if (!isThreatbusError(error, "PATTERN_INVALID")) throw error;
    return error.message;
  }
}

describe("any tree", () => {
  it("comes back from its print", () => {
    fc.assert(fc.property(pattern, (tree) => {
      expect(withoutPositions(parsePattern(printPattern(tree)))).toEqual(tree);
    }), runs(1_000));
  });

  it("has positions that cut out its own text", () => {
    fc.assert(fc.property(pattern, (tree) => {
      const text = printPattern(tree);
      const parsed = parsePattern(text);
      expect([parsed.start, parsed.end]).toEqual([0, text.length]);
      for (const part of observationsOf(parsed)) {
        expect(withoutPositions(parsePattern(text.slice(part.start, part.end)))).toEqual(withoutPositions(part));
      }
    }), runs(300));
  });

  it("has a canonical text that stays as it is", () => {
    fc.assert(fc.property(pattern, (tree) => {
      const canonical = canonicalPattern(tree);
      expect(canonicalPattern(canonical)).toBe(canonical);
      expect(canonicalPattern(printPattern(tree))).toBe(canonical);
    }), runs(1_000));
  });

  it("has one canonical text however operands and lists are ordered, grouped, repeated and spaced", () => {
    fc.assert(fc.property(pattern, fc.infiniteStream(fc.nat(1_000)), (tree, stream) => {
      const random = (below: number): number => (stream.next().value ?? 0) % below;
      const text = printPattern(rewriteObservations(tree, random));
      expect(canonicalPattern(text)).toBe(canonicalPattern(tree));
    }), runs(500));
  });
});

describe("any text", () => {
  it("is a pattern or PATTERN_INVALID", () => {
    fc.assert(fc.property(nearPattern, (text) => {
      for (const read of [parsePattern, checkPattern, pointIndicators, canonicalPattern]) verdict(read, text);
    }), runs(5_000));
  });

  it("gets from checkPattern exactly what it gets from parsePattern", () => {
    fc.assert(fc.property(fc.oneof(nearPlain, nearPattern), (text) => {
      expect(verdict(checkPattern, text)).toBe(verdict(parsePattern, text));
    }), runs(10_000));
  });

  it("is told in an error by a short excerpt of printable characters, with the caret inside it", () => {
    fc.assert(fc.property(nearPattern, fc.string({ unit: "binary", maxLength: 200 }), (start, rest) => {
      const message = verdict(parsePattern, start + rest);
      if (message === "ok") return;
      const [head = "", line = "", caret = "", ...more] = message.split("\n");
      expect(more).toEqual([]);
      expect(head).toMatch(/^[1-9]\d*:[1-9]\d*: expected .+, found .+$/u);
      expect(line.length).toBeLessThanOrEqual(2 + 80);
      expect(`${head}${line}`).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      expect(caret).toMatch(/^ +\^$/);
      expect(caret.length).toBeLessThanOrEqual(line.length + 1);
    }), runs(3_000));
  });
});

describe("point patterns", () => {
  it("give back the path and value they were built from, whatever these hold", () => {
    fc.assert(fc.property(objectPath, fc.string({ unit: "binary", maxLength: 40 }), (path, value) => {
      const text = printPath(path);
      const built = pointPattern(text, value);
      checkPattern(built);
      expect(pointIndicators(built)).toEqual([{ path: text, value, kind: "string" }]);
    }), runs(2_000));
  });

  it("never take more than a path as their path", () => {
    fc.assert(fc.property(fc.oneof(nearPattern, nearPlain), (path) => {
      const built: { text?: string } = {};
      const outcome = verdict(() => { built.text = pointPattern(path, "v"); }, path);
      if (built.text === undefined) expect(outcome).not.toBe("ok");
      else expect(pointIndicators(built.text)).toHaveLength(1);
    }), runs(3_000));
  });

  it("are the same whether or not the text has the form that is read without the parser", () => {
    const points = (text: string): unknown => {
      let found: unknown = "invalid";
      verdict((each) => (found = pointIndicators(each)), text);
      return found;
    };
    fc.assert(fc.property(fc.oneof(nearPlain, nearPattern), (text) => {
      expect(points(text)).toEqual(points(`${text} `));
    }), runs(10_000));
  });

  it("are found in every literal kind", () => {
    fc.assert(fc.property(objectPath, literal, (path, value) => {
      const tree = { kind: "comparison", path, negated: false, operator: "=", value, start: 0, end: 0 } as const;
      const text = printPattern({ kind: "observation", comparison: tree, start: 0, end: 0 });
      expect(pointIndicators(text)).toEqual([{ path: printPath(path), value: String(value.value), kind: value.kind }]);
    }), runs(1_000));
  });
});

describe("hostile shapes", () => {
  const shapes: [string, string][] = [
    ["observation parentheses", "(".repeat(maxPatternLength)],
    ["comparison parentheses", `[${"(".repeat(maxPatternLength - 1)}`],
    ["brackets", "[".repeat(maxPatternLength)],
    ["quotes", "'".repeat(maxPatternLength)],
    ["backslashes", `[a:b = '${"\\".repeat(maxPatternLength - 8)}`],
    ["open comments", "/*".repeat(maxPatternLength / 2)],
    ["slashes", "/".repeat(maxPatternLength)],
    ["spaces", " ".repeat(maxPatternLength)],
    ["newlines", "\n".repeat(maxPatternLength)],
    ["signs", `[a:b = ${"-".repeat(maxPatternLength - 7)}`],
    ["digits", `[a:b = ${"0".repeat(maxPatternLength - 7)}`],
    ["base64", `[a:b = b'${"A".repeat(maxPatternLength - 10)}'`],
    ["hex", `[a:b = h'${"A".repeat(maxPatternLength - 9)}`],
    ["too long by one", `[a:b = '${"x".repeat(maxPatternLength - 9)}']`],
    ["very long", "(".repeat(100_000)],
  ];
  it.each(shapes)("%s are refused", (_, text) => {
    const message = verdict(parsePattern, text);
    expect(message).not.toBe("ok");
    expect(message.length).toBeLessThan(400);
    expect(verdict(checkPattern, text)).toBe(message);
  });

  const wide: [string, string][] = [
    ["a long value", `[a:b = '${"x".repeat(maxPatternLength - 10)}']`],
    ["a long path", `[a:b${"[0]".repeat(20_000)} = 1]`],
    ["many operands", `[a:b = 1${" OR a:b = 1".repeat(5_000)}]`],
    ["many observations", `[a:b=1]${"AND[a:b=1]".repeat(4_000)}`],
    ["many qualifiers on a group", `([a:b=1])${" REPEATS 2 TIMES".repeat(3_000)}`],
    ["many comments", `[a:b = 1]${"/**/".repeat(16_000)}`],
    ["many escapes", `[a:b = '${"\\'".repeat(32_000)}']`],
    ["a long number", `[a:b = 1.${"0".repeat(60_000)}]`],
    ["parentheses to the limit", `${"(".repeat(32)}[${"(".repeat(32)}a:b = 1${")".repeat(32)}]${")".repeat(32)}`],
  ];
  it.each(wide)("%s are read", (_, text) => {
    checkPattern(text);
    expect(canonicalPattern(canonicalPattern(text))).toBe(canonicalPattern(text));
  });
});

function observationsOf(expression: ObservationExpression): ObservationExpression[] {
  switch (expression.kind) {
    case "observation": return [expression];
    case "qualified": return [expression, ...observationsOf(expression.expression)];
    default: return [expression, ...expression.operands.flatMap(observationsOf)];
  }
}

type Random = (below: number) => number;

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const order = [...items];
  for (let at = order.length - 1; at > 0; at--) {
    const other = random(at + 1);
    [order[at], order[other]] = [order[other] as Item, order[at] as Item];
  }
  return order;
}

/** Another order, one more level of grouping, and, where that means the same, one operand twice. */
function rewriteObservations(expression: ObservationExpression, random: Random): ObservationExpression {
  switch (expression.kind) {
    case "observation": return { ...expression, comparison: rewriteComparisons(expression.comparison, random) };
    case "qualified": return { ...expression, expression: rewriteObservations(expression.expression, random) };
    case "followedby": return { ...expression, operands: expression.operands.map((operand) => rewriteObservations(operand, random)) };
    default: {
      const operands = shuffled(expression.operands.map((operand) => rewriteObservations(operand, random)), random);
      const [first, ...rest] = operands;
      const more = expression.kind === "or" ? operands : [];
      if (first === undefined || rest.length < 2) return { ...expression, operands: [...operands, ...more] };
      return { ...expression, operands: [first, { ...expression, operands: rest }] };
    }
  }
}

function rewriteComparisons(expression: ComparisonExpression, random: Random): ComparisonExpression {
  switch (expression.kind) {
    case "in": return { ...expression, values: shuffled([...expression.values, ...expression.values.slice(0, 1)], random) };
    case "comparison": case "exists": return expression;
    default: {
      const operands = shuffled(expression.operands.map((operand) => rewriteComparisons(operand, random)), random);
      const [first, ...rest] = operands;
      if (first === undefined || rest.length < 2) return { ...expression, operands: [...operands, ...operands.slice(0, 1)] };
      return { ...expression, operands: [first, { ...expression, operands: rest }] };
    }
  }
}
