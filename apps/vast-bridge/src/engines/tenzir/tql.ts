/** Pieces of programs in TQL, Tenzir's query language. Programs hold names of fields, schemas, files and tables, and never an indicator's text. */

/** A string literal. */
export function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

/** A time literal. @param at milliseconds since 1970-01-01 UTC */
export function time(at: number): string {
  return new Date(at).toISOString();
}

/** A step of a path to a field: its name, and whether it is a list whose elements are meant. */
export interface Step {
  readonly name: string;
  readonly list: boolean;
}

/** Reads `dns.answers[].rdata`. */
export function stepsOf(path: string): Step[] {
  return path.split(".").map((step) => (step.endsWith("[]") ? { name: step.slice(0, -2), list: true } : { name: step, list: false }));
}

/** A field of a record, null where there is none. In brackets no name is a reserved word. */
export function fieldOf(record: string, name: string): string {
  return `${record}[${quote(name)}]?`;
}

/** The elements of a JSON file of strings. `raw`: none of them is taken for a number, a time or an address. */
export function listFrom(file: string): string {
  return `file_contents(${quote(file)}).parse_json(raw=true)`;
}

/**
 * The elements of a JSON file of addresses, or of blocks, as that. Tenzir takes them for it by itself; functions on the elements of a list give null, or
 * fail, in a `let` of Tenzir 6.0 to 6.12.
 */
export function typedListFrom(file: string): string {
  return `file_contents(${quote(file)}).parse_json()`;
}

/** Operators on lookup tables, which Tenzir 6.13 renamed. */
export type TableOperator = "create_lookup_table" | "update" | "erase" | "enrich" | "list" | "remove";

/** How this Tenzir spells them. */
export type Spelling = (operator: TableOperator) => string;

/** @param features as the operator `version` lists them */
export function spellingFor(features: readonly unknown[]): Spelling {
  const prefix = features.includes("flat_builtin_names") ? "context_" : "context::";
  return (operator) => prefix + operator;
}
