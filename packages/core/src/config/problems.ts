import { ThreatbusError, type ErrorCode, type Issue } from "../errors.ts";
import { redactText, secretsIn } from "./secrets.ts";
import type { SettingPath } from "./settings.ts";

/** One problem of a configuration. */
export interface ConfigIssue extends Issue {
  readonly path: SettingPath;
  /** `config.yaml:3:9`, `environment THREATBUS_…`, `--set …`. */
  readonly where: string;
  /** `CONFIG_INVALID`, or what kept a plugin from loading. */
  readonly code: ErrorCode;
}

/** Problems shown; the rest are counted. */
const shown = 50;

/** `plugins.apps.zmq.pub`; names that are not plain words are quoted. */
export function printPath(path: SettingPath): string {
  return path.map((name) => printName(String(name))).join(".");
}

export function printName(name: string): string {
  return /^[\w-]{1,80}$/.test(name) ? name : JSON.stringify(name.slice(0, 80));
}

export function configIssue(where: string, path: SettingPath, message: string, hint?: string): ConfigIssue {
  return { code: "CONFIG_INVALID", where, path, message, ...(hint === undefined ? {} : { hint }) };
}

/**
 * All problems as one error, its message ready to print: a heading and a line per problem. Its code is the problems' own if
 * they share one, else `CONFIG_INVALID`. Secrets found in `values` are blotted out.
 */
export function configError(title: string, issues: readonly ConfigIssue[], values: unknown = {}, cause?: unknown): ThreatbusError {
  const codes = new Set(issues.map((issue) => issue.code));
  const code = codes.size === 1 ? (issues[0]?.code ?? "CONFIG_INVALID") : "CONFIG_INVALID";
  const secrets = secretsIn(values);
  const clean = issues.slice(0, shown).map((issue) => ({
    ...issue,
    message: redactText(issue.message, secrets),
    ...(issue.hint === undefined ? {} : { hint: redactText(issue.hint, secrets) }),
  }));
  const lines = clean.map(printIssue);
  if (issues.length > shown) lines.push(`  and ${issues.length - shown} more`);
  const heading = `${title}: ${issues.length === 1 ? "1 problem" : `${issues.length} problems`}`;
  return new ThreatbusError(code, [heading, ...lines].join("\n"), { issues: clean, ...(cause === undefined ? {} : { cause }) });
}

function printIssue(issue: ConfigIssue): string {
  const place = issue.path.length === 0 ? issue.where : `${issue.where}  ${printPath(issue.path)}`;
  const hint = issue.hint === undefined ? "" : `\n      ${issue.hint}`;
  return `  ${place}: ${issue.message}${hint}`;
}
