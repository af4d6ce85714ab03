import { isSecretName } from "../redact.ts";
import { isSection } from "./settings.ts";

const blot = "***";
/** Shorter secrets are not searched for in other texts: they would blot out ordinary words. */
const shortestSearched = 4;

/** A copy for people to read: secrets and the user part of URLs are replaced by `***`. */
export function redactConfig(value: unknown): unknown {
  if (typeof value === "string") return redactUrl(value);
  if (Array.isArray(value)) return value.map(redactConfig);
  if (!isSection(value)) return value;
  const entries = Object.entries(value).map(([name, inner]): [string, unknown] => [
    name,
    isSecretName(name) ? hidden(inner) : redactConfig(inner),
  ]);
  return Object.fromEntries(entries);
}

function hidden(value: unknown): unknown {
  if (value === null || value === undefined || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(hidden);
  if (isSection(value)) return Object.fromEntries(Object.entries(value).map(([name, inner]): [string, unknown] => [name, hidden(inner)]));
  return blot;
}

/** The secret values of a configuration, longest first. */
export function secretsIn(value: unknown): string[] {
  const found = new Set<string>();
  collect(value, false, found);
  return [...found].sort((a, b) => b.length - a.length);
}

function collect(value: unknown, secret: boolean, found: Set<string>): void {
  if (Array.isArray(value)) for (const inner of value) collect(inner, secret, found);
  else if (isSection(value)) for (const [name, inner] of Object.entries(value)) collect(inner, secret || isSecretName(name), found);
  else if (secret && (typeof value === "string" || typeof value === "number")) {
    const text = String(value);
    if (text.length >= shortestSearched) found.add(text);
  }
}

export function redactText(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, blot), redactUrl(text));
}

function redactUrl(text: string): string {
  return text.replace(/([a-z][a-z\d+.-]{0,30}:\/\/)[^\s/?#]{0,2000}@/gi, `$1${blot}@`);
}
