import { isSecretName, redact, type Fields } from "@threatbus/core";
import { escapeJson, printable } from "./printable.ts";

/** Severities of the configuration, least first. */
export const severities = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] as const;
export type Severity = (typeof severities)[number];

/** Characters of one value; the rest is cut off. */
const longest = 4_096;

export interface Entry {
  readonly time: string;
  readonly severity: Severity;
  readonly text: string;
  readonly fields: Fields;
}

/** One line of JSON: time, severity, text, and the fields beside them. */
export function jsonLine({ time, severity, text, fields }: Entry): string {
  const own = { time, severity, text: redact(text) };
  return `${tryEncode({ ...fields, ...own }) ?? encode({ fields: unshowable, ...own })}\n`;
}

/** One line for people: time, severity, who, what, and the fields as `name=value`. */
export function textLine({ time, severity, text, fields: { plugin, ...fields } }: Entry, colour: boolean): string {
  const label = severity.padEnd(8);
  const who = typeof plugin === "string" ? `${printable(plugin)}: ` : "";
  const values = Object.entries(fields).map(([name, value]) => ` ${printable(name)}=${encode(value, name)}`);
  return `${time} ${colour ? `${colours[severity]}${label}\u001b[0m` : label} ${who}${printable(redact(text))}${values.join("")}\n`;
}

const colours: Readonly<Record<Severity, string>> = {
  DEBUG: "\u001b[2m",
  INFO: "\u001b[32m",
  WARNING: "\u001b[33m",
  ERROR: "\u001b[31m",
  CRITICAL: "\u001b[1;31m",
};

const unshowable = "(cannot be shown)";

function encode(value: unknown, name: string = ""): string {
  return tryEncode(value, name) ?? `"${unshowable}"`;
}

/** Nothing for cycles, and for a toJSON that throws. */
function tryEncode(value: unknown, name: string = ""): string | undefined {
  try {
    return escapeJson(JSON.stringify(clean(name, value), clean) ?? "null");
  } catch {
    return undefined;
  }
}

/** What JSON cannot say, what is secret, and what is too long. */
function clean(name: string, value: unknown): unknown {
  if (value !== null && value !== undefined && typeof value !== "boolean" && isSecretName(name)) return "***";
  if (typeof value === "string") return redact(value.length > longest ? `${value.slice(0, longest)}… (${value.length} characters)` : value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Error) return { message: value.message, ...("code" in value ? { code: value.code } : {}) };
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  return value;
}
