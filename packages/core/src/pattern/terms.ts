import type { ComparisonOperator, KeyStep, Literal, ObjectPath, PathStep, TimestampLiteral } from "./syntax.ts";
import { printable } from "./failure.ts";
import { isTimestamp } from "./lexer.ts";
import type { Reader } from "./reader.ts";
import { keywords } from "./syntax.ts";

const plainKey = /^[A-Za-z_][A-Za-z0-9_]*$/;
const exampleTime = "a time such as t'2024-01-31T12:00:00Z'";

/** Whether a key of an object path stands without quotes. */
export function isPlainKey(name: string): boolean {
  return plainKey.test(name) && !keywords.has(name);
}

export function readPath(reader: Reader): ObjectPath {
  const { start, kind, value: objectType } = reader;
  if (kind !== "word" || keywords.has(objectType)) throw reader.unexpected("an object path such as file:name");
  reader.next();
  reader.expect(":", ": after the object type");
  const steps: PathStep[] = [readKey(reader)];
  for (;;) {
    if (reader.accept(".")) steps.push(readKey(reader));
    else if (reader.kind === "[") steps.push(readIndex(reader));
    else return { objectType, steps, start, end: reader.previousEnd };
  }
}

function readKey(reader: Reader): KeyStep {
  const { kind, value: name, start, end } = reader;
  if (kind !== "string") {
    if (kind !== "word") throw reader.unexpected("a key");
    if (!isPlainKey(name)) throw reader.unexpected("a key", `Write this one in quotes: '${printable(name)}'.`);
  }
  reader.next();
  return { kind: "key", name, start, end };
}

function readIndex(reader: Reader): PathStep {
  const { start } = reader;
  reader.next();
  const { kind, value } = reader;
  // Adding 0 makes -0 plain.
  const index = kind === "*" ? kind : Number(value) + 0;
  if (kind !== "*" && !(kind === "integer" && Number.isSafeInteger(index))) throw reader.unexpected("* or a list index");
  reader.next();
  reader.expect("]");
  return { kind: "index", index, start, end: reader.previousEnd };
}

export function readOperator(reader: Reader): ComparisonOperator {
  const { kind, value } = reader;
  const operator = kind === "word" ? value : kind;
  switch (operator) {
    case "=": case "!=": case "<": case "<=": case ">": case ">=": case "LIKE": case "MATCHES": case "ISSUBSET": case "ISSUPERSET":
      reader.next();
      return operator;
    default:
      throw reader.unexpected("an operator (=, !=, <, <=, >, >=, IN, LIKE, MATCHES, ISSUBSET, ISSUPERSET)");
  }
}

/** The value an operator compares with. */
export function readOperand(reader: Reader, operator: ComparisonOperator): Literal {
  switch (operator) {
    case "=": case "!=": return readLiteral(reader, "a value", () => true);
    case "<": case "<=": case ">": case ">=": return readLiteral(reader, "a value that has an order", (kind) => kind !== "boolean");
    default: return readLiteral(reader, "a string", (kind) => kind === "string");
  }
}

export function readList(reader: Reader): Literal[] {
  reader.expect("(", "( and a list of values");
  const values: Literal[] = [];
  if (reader.accept(")")) return values;
  do values.push(readLiteral(reader, "a value", () => true));
  while (reader.accept(","));
  reader.expect(")", ", or )");
  return values;
}

function readLiteral(reader: Reader, expected: string, allowed: (kind: Literal["kind"]) => boolean): Literal {
  const literal = literalOf(reader);
  if (literal === undefined || !allowed(literal.kind)) {
    throw reader.unexpected(expected, reader.kind === "word" ? "Text is written in single quotes." : undefined);
  }
  reader.next();
  return literal;
}

function literalOf(reader: Reader): Literal | undefined {
  const { kind, value, start, end } = reader;
  switch (kind) {
    case "string": case "integer": case "float": case "hex": case "binary": case "timestamp":
      return { kind, value, start, end };
    default:
      return reader.isWord("true") || reader.isWord("false") ? { kind: "boolean", value: value === "true", start, end } : undefined;
  }
}

/** A number without a minus sign. */
export function readCount(reader: Reader, expected: string, fractions: boolean): string {
  const { kind, value } = reader;
  if (!(kind === "integer" || (fractions && kind === "float")) || value.startsWith("-")) throw reader.unexpected(expected);
  reader.next();
  return value;
}

/** A timestamp, or the bare string that STIX 2.0 has after START and STOP. */
export function readTime(reader: Reader): TimestampLiteral {
  const { kind, value, start, end } = reader;
  if (!(kind === "timestamp" || (kind === "string" && isTimestamp(value)))) throw reader.unexpected(exampleTime);
  reader.next();
  return { kind: "timestamp", value, start, end };
}
