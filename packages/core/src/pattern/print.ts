import type {
  Comparison, ComparisonExpression, Existence, Literal, Membership, ObjectPath, ObservationExpression, PathStep, Pattern, Qualifier,
} from "./syntax.ts";
import { isPlainKey } from "./terms.ts";

const special = /[\\']/g;

/** Text as a string literal: in single quotes, with quotes and backslashes escaped. */
export function quote(text: string): string {
  return `'${text.replace(special, "\\$&")}'`;
}

/** An object path with quotes only around keys that need them. */
export function printPath(path: ObjectPath): string {
  return path.objectType + path.steps.map(printStep).join("");
}

/** The pattern as text, normally spaced. Parsing that text gives the same tree, positions apart. */
export function printPattern(pattern: Pattern): string {
  return printObservations(pattern);
}

function printStep(step: PathStep, position: number): string {
  if (step.kind === "index") return `[${step.index}]`;
  const name = isPlainKey(step.name) ? step.name : quote(step.name);
  return (position === 0 ? ":" : ".") + name;
}

/** The higher, the tighter it binds. */
const bindings = { followedby: 1, or: 2, and: 3, qualified: 4, observation: 4, comparison: 4, in: 4, exists: 4 } as const;

function printObservations(expression: ObservationExpression): string {
  switch (expression.kind) {
    case "observation":
      return `[${printComparisons(expression.comparison)}]`;
    case "qualified": {
      const { expression: inner, qualifiers } = expression;
      const text = printObservations(inner);
      const repeated = new Set(qualifiers.map(({ kind }) => kind)).size < qualifiers.length;
      const bare = inner.kind === "observation" && !repeated;
      return [bare ? text : `(${text})`, ...qualifiers.map(printQualifier)].join(" ");
    }
    default:
      return join(expression.kind, expression.operands, printObservations);
  }
}

export function printComparisons(expression: ComparisonExpression): string {
  switch (expression.kind) {
    case "comparison": case "in": case "exists":
      return printTest(expression);
    default:
      return join(expression.kind, expression.operands, printComparisons);
  }
}

function join<Operand extends { readonly kind: keyof typeof bindings }>(
  kind: "followedby" | "or" | "and", operands: readonly Operand[], print: (operand: Operand) => string,
): string {
  return operands
    .map((operand) => (bindings[operand.kind] <= bindings[kind] ? `(${print(operand)})` : print(operand)))
    .join(` ${kind.toUpperCase()} `);
}

function printTest(test: Comparison | Membership | Existence): string {
  const path = printPath(test.path);
  const not = test.negated ? "NOT " : "";
  switch (test.kind) {
    case "exists": return `${not}EXISTS ${path}`;
    case "in": return `${path} ${not}IN (${test.values.map(printLiteral).join(", ")})`;
    case "comparison": return `${path} ${not}${test.operator} ${printLiteral(test.value)}`;
  }
}

export function printLiteral(literal: Literal): string {
  switch (literal.kind) {
    case "string": return quote(literal.value);
    case "timestamp": return `t'${literal.value}'`;
    case "hex": return `h'${literal.value}'`;
    case "binary": return `b'${literal.value}'`;
    default: return String(literal.value);
  }
}

function printQualifier(qualifier: Qualifier): string {
  switch (qualifier.kind) {
    case "within": return `WITHIN ${qualifier.seconds} SECONDS`;
    case "repeats": return `REPEATS ${qualifier.times} TIMES`;
    case "startstop": return `START ${printLiteral(qualifier.from)} STOP ${printLiteral(qualifier.until)}`;
  }
}
