import { dirname, resolve } from "node:path";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkAgainst } from "./check.ts";
import { applyEnvironment, readEnvironment, type Environment } from "./environment.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { applyOverride, setOverride } from "./override.ts";
import { configError, configIssue, type ConfigIssue } from "./problems.ts";
import { readConfigFile, type TextFile } from "./read.ts";
import { isSection, Settings, type Section } from "./settings.ts";
import { parseYaml } from "./yaml.ts";

export interface LoadSettingsOptions<Output> {
  /** What the file may hold. A schema that tells its JSON Schema (zod 4 does) has better messages. */
  readonly schema: StandardSchemaV1<unknown, Output>;
  /** Of the variables to read: `MY_PROGRAM_`. */
  readonly prefix: string;
  /** Default: config.yaml, then config.yml, in `cwd`; without them nothing is configured. */
  readonly file?: string | undefined;
  /** Default: the process's. */
  readonly cwd?: string;
  /** Default: the process's. */
  readonly env?: Environment;
  /** `a.b=value`, from the command line, in its order. */
  readonly set?: readonly string[];
}

export interface LoadedSettings<Output> {
  /** Checked, with defaults. */
  readonly value: Output;
  /** Absolute; nothing if there is no file. */
  readonly file: string | undefined;
  /** The file's name as given, or "built-in defaults". */
  readonly origin: string;
  /** Everything as configured. Holds secrets: `redactConfig` it before showing. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Reads the configuration of a program that is no bus, in the way of the bus's: a YAML file, `.env` beside it, the environment, the command line.
 * @throws ThreatbusError `CONFIG_NOT_FOUND`, or `CONFIG_INVALID` with all problems and a message ready to print
 */
export async function loadSettings<Output>(options: LoadSettingsOptions<Output>): Promise<LoadedSettings<Output>> {
  const { schema, prefix, file, cwd = process.cwd(), env = process.env, set = [] } = options;
  const overrides = set.map(setOverride);
  const source = await readConfigFile(file, cwd);
  const name = source?.name ?? "built-in defaults";
  const { settings, issues } = openSettings(source, {}, name);
  const names = Object.keys((jsonSchemaOf(schema)?.["properties"] as Section | undefined) ?? {});
  const variables = await readEnvironment(resolve(source === undefined ? cwd : dirname(source.path)), env, prefix);
  issues.push(...applyEnvironment(settings, variables, { prefix, names }));
  issues.push(...overrides.map((override) => applyOverride(settings, override)).filter((issue) => issue !== undefined));
  // A section with nothing in it may be written without braces, an option without its value.
  for (const key of Object.keys(settings.values)) if (settings.values[key] === null) delete settings.values[key];
  issues.push(...checkAgainst(schema, settings, []));
  const result = issues.length > 0 ? undefined : schema["~standard"].validate(settings.values);
  if (result === undefined || result instanceof Promise || result.issues !== undefined) throw configError(name, issues, settings.values);
  return { value: result.value, file: source?.path, origin: name, values: settings.values };
}

/** The values of a file, or those of `otherwise`, and what is wrong with its YAML. @throws ThreatbusError `CONFIG_INVALID` for bad syntax */
export function openSettings(source: TextFile | undefined, otherwise: Section, name: string): { settings: Settings; issues: ConfigIssue[] } {
  if (source === undefined) return { settings: new Settings(otherwise, name), issues: [] };
  const parsed = parseYaml(source.text, name);
  // After an error of syntax the rest of the file means something else than was meant.
  if (parsed.broken) throw configError(name, parsed.issues);
  const issues = [...parsed.issues];
  const { value } = parsed;
  if (!isSection(value) && value !== null) issues.push(configIssue(`${name}:1:1`, [], "expected a section with logging and so on"));
  const settings = new Settings(isSection(value) ? value : {}, name);
  for (const [path, origin] of parsed.origins) settings.note(path, origin);
  return { settings, issues };
}
