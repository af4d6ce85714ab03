/** `--dry-run`: what an indicator would make the engine do, without doing it. */
import { createInterface } from "node:readline";
import { MetricSet, silentLogger, systemClock } from "@threatbus/core";
import { exitCodes, printable, UserError } from "@threatbus/program";
import { observableOf, observablesOf } from "./observable.ts";
import type { Observables } from "./observable.ts";
import { engineOf, readConfig } from "./settings.ts";
import type { ConfigSource } from "./settings.ts";

/**
 * Prints, for each of the texts, or of the lines of standard input if there are none, what would be run. A text is a STIX pattern, an indicator in
 * JSON, or a bare value.
 * @throws UserError if one is none of them
 */
export async function dryRun(texts: readonly string[], source: ConfigSource): Promise<void> {
  const { value: config } = await readConfig(source);
  const engine = engineOf(config, { logger: silentLogger, clock: systemClock, metrics: new MetricSet(), stateDir: config.state_dir });
  const lines = texts.length > 0 ? texts : createInterface({ input: process.stdin });
  let refused = 0;
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const { observables, skipped } = read(line.trim());
    const shown = observables.flatMap((observable) => (engine.kinds.has(observable.kind) ? engine.explain(observable) : [`# ${config.engine} does not search for ${observable.kind}`]));
    process.stdout.write([...shown.map(printable), ...skipped.map(({ reason, text }) => `# not matched (${reason}): ${printable(text)}`)].map((one) => `${one}\n`).join(""));
    if (observables.length === 0) refused++;
  }
  await engine.stop();
  if (refused > 0) throw new UserError(exitCodes.failed, refused === 1 ? "one would not be matched" : `${refused} would not be matched`);
}

function read(text: string): Observables {
  if (text.startsWith("[") || text.startsWith("(")) return observablesOf(text);
  if (text.startsWith("{")) {
    try {
      const { pattern } = JSON.parse(text) as { pattern?: unknown };
      if (typeof pattern === "string") return observablesOf(pattern);
    } catch {
      // Told below.
    }
    return { observables: [], skipped: [{ reason: "pattern", text: "this is no indicator in JSON" }] };
  }
  const observable = observableOf(text);
  return observable === undefined ? { observables: [], skipped: [{ reason: "value", text: "this is neither a pattern nor a value" }] } : { observables: [observable], skipped: [] };
}
