import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

/** Everything a source file loads at run time, through other files too. */
function loaded(file: URL, seen: Set<string> = new Set()): Set<string> {
  if (seen.has(file.href)) return seen;
  seen.add(file.href);
  const source = readFileSync(file, "utf8");
  for (const [, specifier = ""] of source.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;]*?\sfrom\s+)?"([^"]+)";/gm)) {
    if (specifier.startsWith(".")) loaded(new URL(specifier, file), seen);
    else seen.add(specifier);
  }
  return seen;
}

const entry = (name: string): Set<string> => loaded(new URL(`../src/${name}`, import.meta.url));

test("the main entry loads neither a YAML parser nor a schema library; this one does", () => {
  expect([...entry("index.ts")].filter((name) => /^(yaml|zod)\b|\/config\//.test(name))).toEqual([]);
  expect([...entry("config.ts")].filter((name) => /^(yaml|zod)$/.test(name)).sort()).toEqual(["yaml", "zod"]);
});
