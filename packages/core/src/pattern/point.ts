import { ThreatbusError } from "../errors.ts";
import type { ComparisonExpression, Literal, ObservationExpression } from "./syntax.ts";
import { printable } from "./failure.ts";
import { maxPatternLength, parsePath, parsePattern } from "./parser.ts";
import { printPath, quote } from "./print.ts";

/** One observable value that is an indicator by itself. */
export interface PointIndicator {
  /** Quotes only around keys that need them: `ipv4-addr:value`, `file:hashes.'SHA-256'`. */
  readonly path: string;
  /** Escapes undone; numbers, booleans and times as they are written, without quotes. */
  readonly value: string;
  readonly kind: Literal["kind"];
}

/** As most patterns are, `[type:property = 'value']`: no keyword, no key that is printed otherwise, no escape. It spares them the parser. */
const single = /^\[((?!true\b|false\b)[a-z][a-z0-9-]*:(?!true\b|false\b)[a-z_]+(?:\.'[A-Za-z0-9]+-[A-Za-z0-9-]*')?) = '([^'\\]*)'\]$/;

/**
 * The values a pattern names, in its order, if any one of them alone fulfils it: a single `[path = value]`, IN lists, and such joined
 * by OR on either level. Undefined for everything else, even if it looks similar: AND, NOT, FOLLOWEDBY, another operator, a qualifier.
 * @throws ThreatbusError `PATTERN_INVALID`
 */
export function pointIndicators(text: string): readonly PointIndicator[] | undefined {
  const [, path, value] = text.length <= maxPatternLength ? (single.exec(text) ?? []) : [];
  if (path !== undefined && value !== undefined) return [{ path, value, kind: "string" }];
  const points: PointIndicator[] = [];
  return collect(parsePattern(text), points) && points.length > 0 ? points : undefined;
}

function collect(expression: ObservationExpression | ComparisonExpression, points: PointIndicator[]): boolean {
  switch (expression.kind) {
    case "observation":
      return collect(expression.comparison, points);
    case "or":
      return expression.operands.every((operand) => collect(operand, points));
    case "comparison":
    case "in": {
      if (expression.negated || (expression.kind === "comparison" && expression.operator !== "=")) return false;
      const path = printPath(expression.path);
      const literals = expression.kind === "in" ? expression.values : [expression.value];
      for (const { kind, value } of literals) points.push({ path, value: String(value), kind });
      return true;
    }
    default:
      return false;
  }
}

/** Digits with at most one fraction: what STIX has for numbers, which is less than JavaScript prints. */
const decimal = /^-?\d+(?:\.\d+)?$/;

/**
 * `[path = value]`, with the value escaped. The only safe way to put a value from outside into a pattern.
 * @throws ThreatbusError `PATTERN_INVALID` if the path does not parse, the number has no decimal form, or the pattern is too long
 */
export function pointPattern(path: string, value: string | number | boolean): string {
  const pattern = `[${printPath(parsePath(path))} = ${typeof value === "string" ? quote(value) : literalOf(value)}]`;
  if (pattern.length > maxPatternLength) {
    const problem = `the value for ${printable(path)} makes a pattern longer than ${maxPatternLength} characters`;
    throw new ThreatbusError("PATTERN_INVALID", problem);
  }
  return pattern;
}

function literalOf(value: number | boolean): string {
  const text = String(value);
  if (typeof value === "number" && !decimal.test(text)) throw new ThreatbusError("PATTERN_INVALID", `${text} has no decimal form`);
  return text;
}
