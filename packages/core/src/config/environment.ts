import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { closest } from "./closest.ts";
import { applyOverride, readValue } from "./override.ts";
import { configIssue, printName, type ConfigIssue } from "./problems.ts";
import { readTextFile } from "./read.ts";
import { topLevelNames } from "./schema.ts";
import { isSection, type Settings } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A variable and how to name it. */
interface Variable {
  readonly name: string;
  readonly value: string;
  readonly origin: string;
}

/** Which variables a program reads. */
export interface Namespace {
  /** `THREATBUS_` */
  readonly prefix: string;
  /** Names of the top level of its configuration. */
  readonly names: readonly string[];
}

const mispKeyName = "MISP_API_KEY";
const mispKeyPath = ["plugins", "apps", "misp", "api", "key"];

/** What the bus reads. */
export const busNamespace: Namespace = { prefix: "THREATBUS_", names: topLevelNames };

/** The variables of `.env` in the folder of the configuration, those of the process before them. Empty ones count as unset. */
export async function readEnvironment(folder: string, environment: Environment, prefix: string = busNamespace.prefix): Promise<Variable[]> {
  const path = join(folder, ".env");
  const file = await readTextFile(path, path);
  const variables = new Map<string, Variable>();
  const add = (source: Environment, place: string): void => {
    for (const [name, value] of Object.entries(source)) {
      const ours = name.startsWith(prefix) || name === mispKeyName;
      if (ours && value !== undefined && value !== "") variables.set(name, { name, value, origin: `${place} ${printName(name)}` });
    }
  };
  if (file !== undefined) add(parseEnv(file.text), join(dirname(path), ".env"));
  add(environment, "environment");
  return [...variables.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Applies `THREATBUS_A__B=value` to `a.b`. Names match what the file has without regard to case, dots and dashes. */
export function applyEnvironment(settings: Settings, variables: readonly Variable[], { prefix, names }: Namespace = busNamespace): ConfigIssue[] {
  return variables.flatMap(({ name, value, origin }) => {
    if (!name.startsWith(prefix)) return [];
    const words = name.slice(prefix.length).split("__");
    const [first = ""] = words;
    // Other programs have variables with this prefix too; only what could be meant for us is.
    if (words.length === 1 && closest(first, names) === undefined) return [];
    if (words.includes("") || words.length > 32)
      return [configIssue(origin, [], "between the names stand two underscores, and no name is empty")];
    return applyOverride(settings, { path: knownPath(settings, words), ...readValue(value), origin }) ?? [];
  });
}

/** `MISP_API_KEY` beats the key of a configured MISP API, but not the command line. */
export function applyMispKey(settings: Settings, variables: readonly Variable[]): ConfigIssue[] {
  const key = variables.find(({ name }) => name === mispKeyName);
  if (key === undefined || !isSection(settings.get(mispKeyPath.slice(0, -1))) || settings.noted(mispKeyPath)?.commandLine === true)
    return [];
  return [applyOverride(settings, { path: mispKeyPath, value: key.value, origin: key.origin })].filter((issue) => issue !== undefined);
}

function knownPath(settings: Settings, words: readonly string[]): string[] {
  const path: string[] = [];
  for (const word of words) {
    const here = settings.get(path);
    const known = isSection(here) ? Object.keys(here).find((name) => plain(name) === plain(word)) : undefined;
    path.push(known ?? word.toLowerCase());
  }
  return path;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[.-]/g, "_");
}
