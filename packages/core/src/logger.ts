import type { Fields, Logger } from "./contract.ts";
import { isSecretName, redact } from "./redact.ts";

const nothing = (): void => undefined;

/** Says nothing. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Warnings and errors to standard error, one line of JSON each. */
export const stderrLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: (text, fields) => void process.stderr.write(`${logLine("warn", text, fields)}\n`),
  error: (text, fields) => void process.stderr.write(`${logLine("error", text, fields)}\n`),
};

function logLine(level: string, text: string, fields: Fields = {}): string {
  return JSON.stringify({ time: new Date().toISOString(), level, text, ...fields }, readable);
}

/** Values are redacted one by one: in the finished line their quotes are escaped, and cuts would break it. */
function readable(name: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "string") return value;
  return isSecretName(name) ? "***" : redact(value);
}

/** A logger that adds to every entry who speaks. */
export function named(logger: Logger, plugin: string): Logger {
  const add = (fields?: Fields): Fields => ({ plugin, ...fields });
  return {
    debug: (text, fields) => logger.debug(text, add(fields)),
    info: (text, fields) => logger.info(text, add(fields)),
    warn: (text, fields) => logger.warn(text, add(fields)),
    error: (text, fields) => logger.error(text, add(fields)),
  };
}
