import type { ComparisonExpression, Literal, ObservationExpression, Pattern, Qualifier, TimestampLiteral } from "./syntax.ts";
import { parsePattern } from "./parser.ts";
import { printComparisons, printLiteral, printPattern } from "./print.ts";

/**
 * One text for patterns that mean the same and differ only in writing. Applying it again changes nothing.
 * - Spacing, comments, needless parentheses and needless quotes go; `==` is `=`, `<>` is `!=`.
 * - AND within AND and OR within OR become one list, sorted (by UTF-16 unit) and without doubles. Observations joined by AND
 *   keep their doubles, as each asks for an observation of its own; FOLLOWEDBY keeps its order.
 * - IN lists are sorted and without doubles; a list of one becomes `=`.
 * - Numbers lose needless zeros, times the zeros that end their fraction; hexadecimal digits are lower case.
 * - Qualifiers stay in order, those of nested groups in one row.
 * It can be somewhat longer than what it was made from, so that of a text near the longest allowed may no longer parse.
 * @throws ThreatbusError `PATTERN_INVALID` if a text is given that does not parse
 */
export function canonicalPattern(pattern: string | Pattern): string {
  return printPattern(observations(typeof pattern === "string" ? parsePattern(pattern) : pattern));
}

function observations(expression: ObservationExpression): ObservationExpression {
  switch (expression.kind) {
    case "observation":
      return { ...expression, comparison: comparisons(expression.comparison) };
    case "qualified": {
      const inner = observations(expression.expression);
      const qualifiers = expression.qualifiers.map(canonicalQualifier);
      if (inner.kind !== "qualified") return { ...expression, expression: inner, qualifiers };
      return { ...expression, expression: inner.expression, qualifiers: [...inner.qualifiers, ...qualifiers] };
    }
    case "followedby":
      return { ...expression, operands: expression.operands.map(observations) };
    default:
      return ordered(expression, expression.operands.map(observations), printPattern, expression.kind === "or");
  }
}

function comparisons(expression: ComparisonExpression): ComparisonExpression {
  switch (expression.kind) {
    case "exists":
      return expression;
    case "comparison":
      return { ...expression, value: canonicalLiteral(expression.value) };
    case "in": {
      const values = sorted(expression.values.map(canonicalLiteral), printLiteral, true);
      const [value] = values;
      if (value === undefined || values.length > 1) return { ...expression, values };
      const { path, negated, start, end } = expression;
      return { kind: "comparison", path, negated, operator: "=", value, start, end };
    }
    default:
      return ordered(expression, expression.operands.map(comparisons), printComparisons, true);
  }
}

/** A chain of AND or OR with chains of its own kind taken in, sorted; its only operand if doubles leave just one. */
function ordered<Operand extends { readonly kind: string }, Chain extends Operand & { readonly operands: readonly Operand[] }>(
  chain: Chain, operands: readonly Operand[], print: (operand: Operand) => string, unique: boolean,
): Operand {
  const isSame = (operand: Operand): operand is Chain => operand.kind === chain.kind;
  const list = sorted(operands.flatMap((operand) => (isSame(operand) ? operand.operands : [operand])), print, unique);
  const [only] = list;
  return only !== undefined && list.length === 1 ? only : { ...chain, operands: list };
}

function sorted<Item>(items: readonly Item[], print: (item: Item) => string, unique: boolean): Item[] {
  const printed = items.map((item) => ({ item, text: print(item) })).sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  return printed.filter(({ text }, at) => !unique || text !== printed[at - 1]?.text).map(({ item }) => item);
}

function canonicalQualifier(qualifier: Qualifier): Qualifier {
  switch (qualifier.kind) {
    case "within": return { ...qualifier, seconds: number(qualifier.seconds) };
    case "repeats": return qualifier;
    case "startstop": return { ...qualifier, from: time(qualifier.from), until: time(qualifier.until) };
  }
}

function canonicalLiteral(literal: Literal): Literal {
  switch (literal.kind) {
    case "integer": case "float": return { ...literal, value: number(literal.value) };
    case "hex": return { ...literal, value: literal.value.toLowerCase() };
    case "timestamp": return time(literal);
    default: return literal;
  }
}

/** `-.50` is `-0.5`, `-0` is `0`, `1.00` stays a float: `1.0`. */
function number(text: string): string {
  const negative = text.startsWith("-");
  const [whole = "", fraction] = (negative ? text.slice(1) : text).split(".");
  const digits = trimStart(whole) || "0";
  const value = fraction === undefined ? digits : `${digits}.${trimEnd(fraction) || "0"}`;
  return negative && /[1-9]/.test(value) ? `-${value}` : value;
}

function time(literal: TimestampLiteral): TimestampLiteral {
  const [seconds = "", fraction = ""] = literal.value.slice(0, -1).split(".");
  const kept = trimEnd(fraction);
  return { ...literal, value: `${seconds}${kept === "" ? "" : `.${kept}`}Z` };
}

function trimStart(digits: string): string {
  return digits.replace(/^0+/, "");
}

/** Without the zeros at the end; a loop, since `/0+$/` takes quadratic time. */
function trimEnd(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}
