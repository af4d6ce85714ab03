import type { StandardSchemaV1 } from "@standard-schema/spec";
import { didYouMean } from "./closest.ts";
import { describeType, jsonSchemaOf, namesAt, schemasAt, type JsonSchema } from "./json-schema.ts";
import { configIssue, printName, type ConfigIssue } from "./problems.ts";
import { isSecretName } from "../redact.ts";
import { isSection, type Settings, type SettingPath } from "./settings.ts";

/** The fields of zod's issues that tell more than their text does. */
type RichIssue = StandardSchemaV1.Issue & { readonly code?: unknown; readonly keys?: unknown; readonly errors?: unknown };

/**
 * Checks the value at `path` against a Standard Schema. Scalars written without quotes are read as what the schema expects:
 * `yes`, `no`, `on`, `off` as true and false, numbers as text; such values are replaced in `settings`.
 */
export function checkAgainst(schema: StandardSchemaV1<unknown, unknown>, settings: Settings, path: SettingPath): ConfigIssue[] {
  const validate = (): readonly RichIssue[] => {
    const result = schema["~standard"].validate(settings.get(path));
    if (result instanceof Promise) return [{ message: "the plugin checks its options through a promise, which is not supported" }];
    return result.issues ?? [];
  };
  const issues = reread(validate, settings, path);
  if (issues.length === 0) return [];
  const json = jsonSchemaOf(schema) ?? {};
  return issues.flatMap((issue) => explain(issue, [], json, settings, path));
}

/** Validates again with other readings of the scalars complained about, as long as that helps. */
function reread(validate: () => readonly RichIssue[], settings: Settings, base: SettingPath): readonly RichIssue[] {
  let issues = validate();
  for (const reading of [asYesOrNo, asText]) {
    if (issues.length === 0) break;
    const tried = new Map<string, { path: SettingPath; old: unknown }>();
    for (const path of issues.map((issue) => [...base, ...plainPath(issue)])) {
      const source = settings.noted(path)?.source;
      const old = settings.get(path);
      const other = source === undefined ? undefined : reading(source, old);
      if (other === undefined) continue;
      tried.set(JSON.stringify(path), { path, old });
      settings.replace(path, other);
    }
    if (tried.size === 0) continue;
    const stillWrong = new Set(validate().map((issue) => JSON.stringify([...base, ...plainPath(issue)])));
    for (const [key, { path, old }] of tried) if (stillWrong.has(key)) settings.replace(path, old);
    issues = validate();
  }
  return issues;
}

function asYesOrNo(source: string, value: unknown): boolean | undefined {
  if (typeof value === "boolean") return undefined;
  if (/^(?:yes|on)$/i.test(source)) return true;
  return /^(?:no|off)$/i.test(source) ? false : undefined;
}

function asText(source: string, value: unknown): string | undefined {
  return typeof value === "number" || typeof value === "boolean" ? source : undefined;
}

function plainPath(issue: StandardSchemaV1.Issue): PropertyKey[] {
  return (issue.path ?? []).map((step) => (typeof step === "object" ? step.key : step));
}

/** One problem in words, or several where the schema library tells several as one. */
function explain(issue: RichIssue, prefix: SettingPath, json: JsonSchema, settings: Settings, base: SettingPath): ConfigIssue[] {
  const local = [...prefix, ...plainPath(issue)];
  const path = [...base, ...local];
  if (Array.isArray(issue.keys) && issue.code === "unrecognized_keys") {
    const known = namesAt(json, local);
    return issue.keys.map((key: unknown) => {
      const name = String(key);
      const others = known.length === 0 ? undefined : `known: ${known.map(printName).join(", ")}`;
      return configIssue(settings.where([...path, name], "key"), [...path, name], "unknown option", didYouMean(name, known) ?? others);
    });
  }
  if (issue.code === "invalid_union" && Array.isArray(issue.errors)) {
    const fitting = (issue.errors as readonly (readonly RichIssue[])[]).filter((branch) =>
      branch.every((inner) => plainPath(inner).length > 0),
    );
    if (fitting.length === 1) return (fitting[0] ?? []).flatMap((inner) => explain(inner, local, json, settings, base));
  }
  const value = settings.get(path);
  const schemas = schemasAt(json, local);
  const type = describeType(schemas);
  const expected = type === undefined ? undefined : `expected ${type}`;
  if (value === undefined && local.length > 0) {
    const missing = expected === undefined ? "is required" : `is required: ${expected}`;
    const ownWords = issue.code === "custom" ? issue.message : missing;
    return [configIssue(settings.where(path, "key"), path, ownWords)];
  }
  const byType = issue.code === "invalid_type" || issue.code === "invalid_union" || issue.code === "invalid_value";
  const byRange = (issue.code === "too_big" || issue.code === "too_small") && typeof value === "number";
  const told = byType || byRange ? expected : undefined;
  const message = told === undefined ? inOwnWords(issue.message, value, path) : told + (byType ? got(value) : "");
  const choices = schemas.flatMap((schema) => (Array.isArray(schema["enum"]) ? schema["enum"].map(String) : []));
  const hint = typeof value === "string" && choices.length > 0 ? didYouMean(value, choices) : undefined;
  return [configIssue(settings.where(path), path, message, hint)];
}

function got(value: unknown): string {
  if (value === null) return ", there is nothing";
  if (Array.isArray(value)) return ", this is a list";
  if (isSection(value)) return ", this is a section";
  if (typeof value === "string") return ", this is a text";
  return typeof value === "number" ? ", this is a number" : ", this is true or false";
}

/** A schema's own words, unless they tell a secret. */
function inOwnWords(message: string, value: unknown, path: SettingPath): string {
  const secret = path.some((name) => isSecretName(String(name)));
  const told = secret && (typeof value === "string" || typeof value === "number") && message.includes(String(value));
  return told ? "is not valid" : message.replace(/^(?:Invalid input|Invalid option|Too big|Too small): /, "");
}
