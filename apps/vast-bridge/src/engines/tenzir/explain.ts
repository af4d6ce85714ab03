/** What the engine does for an observable, for people. */
import type { Observable } from "../../observable.ts";
import { marksOf, scopesFor } from "./fields.ts";
import { resultOperators } from "./hits.ts";
import { keyFromLine, keysOf } from "./keys.ts";
import { lookupProgram } from "./lookup.ts";
import type { TenzirOptions } from "./options.ts";
import { quote, type Spelling } from "./tql.ts";

/** The program that fills a table, its input as comments, and the one that looks events up in it. A search may ask the index in place of that. */
export function explain(observable: Observable, options: TenzirOptions, spelling: Spelling): string[] {
  const keys = keysOf(observable);
  const [kind] = keys.map(({ table }) => table);
  if (kind === undefined) return [];
  const table = `threatbus-${kind}`;
  const scopes = scopesFor(options, new Set([observable.kind]));
  const program = lookupProgram({
    source: ["export"], scopes, marks: marksOf(options), subdomains: options.subdomains, tables: { [kind]: table }, spelling, tail: resultOperators([], false),
  });
  const update = ["from_stdin { read_ndjson raw=true }", keyFromLine[kind], "where key != null", `${spelling("update")} ${quote(table)}, key=key, value=true`].join(" | ");
  return [...keys.map(({ line }) => `// ${line}`), update, ...program.split("\n")];
}
