/** Files by pattern: `*` and `?` within a name, `[a-z]`, `{a,b}`, and `**` for any number of folders. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { resolve } from "node:path";

/** Folders within folders that `**` goes down to. */
const maxDepth = 32;
const magic = /[*?[{]/;

/** Paths of files (and of what else is no folder), each once. What cannot be read is not there. */
export async function filesLike(patterns: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const pattern of patterns.flatMap(alternatives)) {
    const steps = resolve(pattern).split("/").slice(1);
    await descend("", steps, found, 0);
  }
  return [...found].sort();
}

/** `a{b,c}d` → `abd`, `acd`. */
export function alternatives(pattern: string): string[] {
  const [whole = "", inner = ""] = /\{([^{}]*,[^{}]*)\}/.exec(pattern) ?? [];
  if (whole === "") return [pattern];
  const at = pattern.indexOf(whole);
  return inner.split(",").slice(0, 100).flatMap((one) => alternatives(pattern.slice(0, at) + one + pattern.slice(at + whole.length)));
}

/** A leading dot has to be written. */
export function nameForm(step: string): RegExp {
  const source = step.replace(/\[(!?)([^\]/]+)\]|[*?]|[\\^$.|+(){}[\]]/g, (part, not: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${not === "!" ? "^" : ""}${set.replace(/[\\\]^]/g, "\\$&")}]`;
    return part === "*" ? "[^/]*" : part === "?" ? "[^/]" : `\\${part}`;
  });
  return new RegExp(`^${step.startsWith(".") ? "" : "(?!\\.)"}${source}$`, "s");
}

async function descend(folder: string, [step, ...rest]: readonly string[], found: Set<string>, depth: number): Promise<void> {
  if (step === undefined) return;
  if (!magic.test(step) && rest.length > 0) return descend(`${folder}/${step}`, rest, found, depth);
  const entries = await entriesOf(folder === "" ? "/" : folder);
  if (step === "**") {
    await descend(folder, rest.length > 0 ? rest : ["*"], found, depth);
    const folders = depth < maxDepth ? entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")) : [];
    for (const { name } of folders) await descend(`${folder}/${name}`, ["**", ...rest], found, depth + 1);
    return;
  }
  const form = nameForm(step);
  for (const entry of entries) {
    if (!form.test(entry.name)) continue;
    const path = `${folder}/${entry.name}`;
    if (rest.length > 0) await descend(path, rest, found, depth);
    else if (!entry.isDirectory()) found.add(path);
  }
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
