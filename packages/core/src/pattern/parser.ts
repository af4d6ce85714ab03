import { ThreatbusError } from "../errors.ts";
import type { ComparisonExpression, ObjectPath, ObservationExpression, Pattern, Qualifier } from "./syntax.ts";
import { patternError } from "./failure.ts";
import { Reader } from "./reader.ts";
import { readCount, readList, readOperand, readOperator, readPath, readTime } from "./terms.ts";

/** UTF-16 units. */
export const maxPatternLength = 65_536;

/**
 * Reads a STIX 2.1 pattern (STIX 2.1 §9). Keywords are upper case, as that version has it; the bare strings that STIX 2.0 put
 * after START and STOP are taken too. Takes at most 65,536 characters and 64 parentheses within each other.
 * @throws ThreatbusError `PATTERN_INVALID`: the message tells line and column, what was expected and found, and shows the place
 */
export function parsePattern(text: string): Pattern {
  if (text.length > maxPatternLength) {
    throw new ThreatbusError("PATTERN_INVALID", `the pattern has ${text.length} characters, at most ${maxPatternLength} are read`);
  }
  const reader = new Reader(text);
  const pattern = observations(reader, 0);
  if (reader.kind !== "end") throw reader.unexpected("AND, OR, FOLLOWEDBY, WITHIN, REPEATS, START or the end");
  return pattern;
}

/**
 * Reads an object path alone, e.g. `file:hashes.'SHA-256'`.
 * @throws ThreatbusError `PATTERN_INVALID`
 */
export function parsePath(text: string): ObjectPath {
  const reader = new Reader(text);
  const path = readPath(reader);
  if (reader.kind !== "end") throw reader.unexpected("., [ or the end");
  return path;
}

/** From loosest to tightest binding. */
const observationLevels = [["FOLLOWEDBY", "followedby"], ["OR", "or"], ["AND", "and"]] as const;
const comparisonLevels = [["OR", "or"], ["AND", "and"]] as const;

function observations(reader: Reader, level: number): ObservationExpression {
  const entry = observationLevels[level];
  if (entry === undefined) return qualified(reader);
  const [keyword, kind] = entry;
  const { start } = reader;
  const first = observations(reader, level + 1);
  if (!reader.isWord(keyword)) return first;
  const operands = [first];
  while (reader.acceptWord(keyword)) operands.push(observations(reader, level + 1));
  return { kind, operands, start, end: reader.previousEnd };
}

function qualified(reader: Reader): ObservationExpression {
  const { start } = reader;
  const bare = reader.kind === "[";
  const expression = bare ? observation(reader) : reader.group("[ or (", () => observations(reader, 0));
  const qualifiers: Qualifier[] = [];
  for (let qualifier = readQualifier(reader); qualifier !== undefined; qualifier = readQualifier(reader)) {
    const { kind, start: at } = qualifier;
    // On a group a second one is allowed: it qualifies the qualified group.
    if (bare && qualifiers.some((earlier) => earlier.kind === kind)) {
      throw patternError(reader.text, at, "each qualifier once", `a second ${kind === "startstop" ? "START" : kind.toUpperCase()}`);
    }
    qualifiers.push(qualifier);
  }
  return qualifiers.length === 0 ? expression : { kind: "qualified", expression, qualifiers, start, end: reader.previousEnd };
}

function observation(reader: Reader): ObservationExpression {
  const { start } = reader;
  reader.next();
  const comparison = comparisons(reader, 0);
  reader.expect("]", "AND, OR or ]");
  return { kind: "observation", comparison, start, end: reader.previousEnd };
}

function readQualifier(reader: Reader): Qualifier | undefined {
  const { start } = reader;
  if (reader.acceptWord("WITHIN")) {
    const seconds = readCount(reader, "a number of seconds", true);
    reader.expectWord("SECONDS");
    return { kind: "within", seconds, start, end: reader.previousEnd };
  }
  if (reader.acceptWord("REPEATS")) {
    const times = readCount(reader, "a whole number of times", false);
    reader.expectWord("TIMES");
    return { kind: "repeats", times, start, end: reader.previousEnd };
  }
  if (reader.acceptWord("START")) {
    const from = readTime(reader);
    reader.expectWord("STOP");
    const until = readTime(reader);
    return { kind: "startstop", from, until, start, end: reader.previousEnd };
  }
  return undefined;
}

function comparisons(reader: Reader, level: number): ComparisonExpression {
  const entry = comparisonLevels[level];
  if (entry === undefined) return comparison(reader);
  const [keyword, kind] = entry;
  const { start } = reader;
  const first = comparisons(reader, level + 1);
  if (!reader.isWord(keyword)) return first;
  const operands = [first];
  while (reader.acceptWord(keyword)) operands.push(comparisons(reader, level + 1));
  return { kind, operands, start, end: reader.previousEnd };
}

function comparison(reader: Reader): ComparisonExpression {
  const { start } = reader;
  if (reader.kind === "(") return reader.group("(", () => comparisons(reader, 0));
  if (reader.isWord("NOT") || reader.isWord("EXISTS")) {
    const negated = reader.acceptWord("NOT");
    reader.expectWord("EXISTS");
    return { kind: "exists", path: readPath(reader), negated, start, end: reader.previousEnd };
  }
  const path = readPath(reader);
  const negated = reader.acceptWord("NOT");
  if (reader.acceptWord("IN")) return { kind: "in", path, negated, values: readList(reader), start, end: reader.previousEnd };
  const operator = readOperator(reader);
  return { kind: "comparison", path, negated, operator, value: readOperand(reader, operator), start, end: reader.previousEnd };
}
