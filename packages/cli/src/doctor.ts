import { setTimeout as sleep } from "node:timers/promises";
import { MetricSet, reasonOf, silentLogger, systemClock, type Configured, type Finding, type Host } from "@threatbus/core";
import { redactText, secretsIn, type LoadedConfig } from "@threatbus/core/config";
import { exitCodes, printable, printableJson, signalExitCode, type Signal } from "@threatbus/program";

export interface DoctorOptions {
  /** Seconds to wait for what should come. */
  readonly wait: number;
  readonly json: boolean;
}

/** Milliseconds a probe may take to end when its time is over. */
const grace = 5_000;

/** Lets every configured plugin that can look at its tool and tells what they find. Returns the exit code. */
export async function examine(config: LoadedConfig, { wait, json }: DoctorOptions, interrupted: AbortSignal): Promise<number> {
  const secrets = secretsIn(config.values);
  const counts = { ok: 0, warning: 0, problem: 0 };
  const write = (text: string): void => void process.stdout.write(text);
  for (const plugin of [...config.bus.backbones, ...config.bus.apps]) {
    if (interrupted.aborted) break;
    if (!json) write(`${printable(plugin.name)}\n`);
    let found = 0;
    for await (const { status, text, hint } of findings(plugin, wait * 1_000, interrupted)) {
      found++;
      counts[status]++;
      const [words, advice] = [redactText(text, secrets), hint === undefined ? undefined : redactText(hint, secrets)];
      if (json) write(`${printableJson({ plugin: plugin.name, kind: plugin.kind, status, text: words, ...(advice !== undefined && { hint: advice }) })}\n`);
      else write(`  ${status.padEnd(9)}${printable(words)}\n${advice === undefined ? "" : `${" ".repeat(11)}${printable(advice)}\n`}`);
    }
    if (found === 0 && !json) write("  nothing to look at\n");
  }
  if (interrupted.aborted) return signalExitCode(interrupted.reason as Signal);
  if (!json) write(`${counts.problem === 0 ? "no problem" : counts.problem === 1 ? "1 problem" : `${counts.problem} problems`}${counts.warning === 0 ? "" : `, ${counts.warning} to think about`}\n`);
  return counts.problem === 0 ? exitCodes.ok : exitCodes.failed;
}

/** What the plugin's probe tells; a probe that fails or does not end is a problem, too. */
async function* findings(plugin: Configured, wait: number, interrupted: AbortSignal): AsyncGenerator<Finding, void, undefined> {
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, interrupted]);
  const host: Host = { name: plugin.name, logger: silentLogger, clock: systemClock, signal: new AbortController().signal, metrics: new MetricSet() };
  const timer = setTimeout(() => over.abort(), wait);
  const tooLate = new Promise<"late">((resolve) => signal.addEventListener("abort", () => void sleep(grace, undefined, { ref: false }).then(() => resolve("late")), { once: true }));
  try {
    const probe = plugin.create(host).probe?.(signal)[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([probe?.next(), tooLate]);
      if (next === "late") return yield { status: "problem", text: "its probe does not end" };
      if (next === undefined || next.done === true) return;
      yield next.value;
    }
  } catch (thrown) {
    yield { status: "problem", text: reasonOf(thrown), ...hintOf(thrown) };
  } finally {
    clearTimeout(timer);
  }
}

function hintOf(thrown: unknown): { hint?: string } {
  const { hint } = Object(thrown) as { hint?: unknown };
  return typeof hint === "string" ? { hint } : {};
}
