import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { mappings, ruleTypes } from "../src/map/types.ts";
import type { Mapping } from "../src/map/types.ts";

/** The hash's name follows from the type's. */
const general = (template: string): string => template.replace(/(file|x509-certificate):hashes\.[^ ]+/g, "$1:hashes.…");
const code = (text: string): string => `\`${text.replaceAll("|", "\\|")}\``;

/** One row for all types that become the same. */
function tableOfTypes(): string {
  const rows = new Map<string, string[]>();
  for (const { type, point, exact } of mappings.values() as Iterable<Mapping>) {
    const asExact = general(exact);
    const asPoint = point === undefined ? "–" : code(general(point));
    const row = `${asPoint} | ${point !== undefined && general(point) === asExact ? "the same" : code(asExact)}`;
    rows.set(row, [...(rows.get(row) ?? []), type]);
  }
  rows.set("the rule, with its `pattern_type` | the same", [...ruleTypes]);
  rows.set("the pattern as it is, if it parses | the same", ["stix2-pattern"]);
  return ["| MISP types | `profile: point` | `profile: misp-stix` |", "|---|---|---|", ...[...rows].map(([row, types]) => `| ${types.map(code).join(", ")} | ${row} |`)].join("\n");
}

test("the README has the table of types as the code has it (vitest -u writes it anew)", async () => {
  const file = fileURLToPath(new URL("../README.md", import.meta.url));
  const readme = readFileSync(file, "utf8");
  const start = readme.indexOf("| MISP types |");
  const end = readme.indexOf("\n\n", start);
  expect(start).toBeGreaterThan(0);
  await expect(readme.slice(0, start) + tableOfTypes() + readme.slice(end)).toMatchFileSnapshot(file);
});
