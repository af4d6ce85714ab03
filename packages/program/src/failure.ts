import { isThreatbusError, reasonOf, redact } from "@threatbus/core";
import { exitCodeOf, isClientError, UserError } from "./exit-codes.ts";
import { printable, printableLines } from "./printable.ts";

/** What is told of an error: what is wrong, where, and what to do about it. No stack but for faults of the program. */
export function describeFailure(thrown: unknown, program: string): string {
  const lines = [`${program}: ${printableLines(reasonOf(thrown))}`];
  if (isClientError(thrown)) {
    if (thrown.reason !== undefined) lines.push(`  the bus says: ${printable(thrown.reason)}`);
    if (thrown.hint !== undefined) lines.push(`  hint: ${printable(thrown.hint)}`);
  } else if (isThreatbusError(thrown)) {
    if (thrown.plugin !== undefined) lines.push(`  where: plugin ${printable(thrown.plugin)}`);
    const hints = thrown.hint !== undefined ? [thrown.hint] : thrown.code.startsWith("CONFIG_") ? [] : thrown.issues.map(({ hint }) => hint);
    for (const hint of new Set(hints)) if (hint !== undefined) lines.push(`  hint: ${printable(hint)}`);
  } else if (thrown instanceof UserError) {
    if (thrown.hint !== undefined) lines.push(`  hint: ${printable(thrown.hint)}`);
  } else {
    lines[0] = `${program}: a fault of the program: ${printableLines(thrown instanceof Error ? (thrown.stack ?? thrown.message) : reasonOf(thrown))}`;
  }
  const text = lines.join("\n");
  // Problems of a configuration come without secrets; `api.key: expected text` would look like one.
  const clean = isThreatbusError(thrown) && thrown.issues.some((issue) => "where" in issue);
  return `${clean ? text : redact(text)}\n`;
}

/** Tells it on standard error, unless told already, and sets the exit code. The process ends when nothing is left to do. */
export function fail(thrown: unknown, program: string, told: boolean = false): void {
  if (!told) process.stderr.write(describeFailure(thrown, program));
  process.exitCode = exitCodeOf(thrown);
}
