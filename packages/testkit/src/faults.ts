import { systemClock, type Clock } from "@threatbus/core";
import { seeded, type Random } from "./random.ts";

/** One thing to do, `at` ms after the start. */
export interface FaultStep {
  readonly at: number;
  /** E.g. `kill`; the name of a handler. */
  readonly op: string;
  /** E.g. `broker`. */
  readonly who: string;
}

/** Faults as data: can be printed, stored and run again. */
export interface FaultScript {
  readonly seed: number;
  /** Milliseconds. */
  readonly duration: number;
  /** In the order of `at`. */
  readonly steps: readonly FaultStep[];
}

/** A fault to choose from; `undo` is the op that heals it. */
export interface FaultKind {
  readonly op: string;
  readonly who: string;
  readonly undo?: string;
}

export interface FaultScriptOptions {
  readonly faults: readonly FaultKind[];
  /** Milliseconds. */
  readonly duration: number;
  /** Milliseconds; the mixture of faults changes with each period. Default 2,000. */
  readonly period?: number;
  /** The share of periods without any fault. Default 0.25; the last period is always one of them, to recover in. */
  readonly quiet?: number;
  /** How often a fault of a period's mixture happens in it, at most. Default 2. */
  readonly repeat?: number;
}

/** The same seed and options give the same script. Every fault with an `undo` is healed within its period. */
export function faultScript(seed: number, options: FaultScriptOptions): FaultScript {
  const { faults, duration, period = 2_000, quiet = 0.25, repeat = 2 } = options;
  const random = seeded(seed);
  const periods = Math.max(1, Math.round(duration / period));
  const order = shuffled(Array.from({ length: periods - 1 }, (_, n) => n), random);
  const noisy = order.slice(0, periods - Math.max(1, Math.ceil(periods * quiet))).sort((a, b) => a - b);
  const steps = noisy.flatMap((n) => {
    const mixture = shuffled(faults, random).slice(0, 1 + Math.floor(random() * faults.length));
    return mixture.flatMap((fault) => occurrences(fault, n * period, period, repeat, random));
  });
  return { seed, duration, steps: steps.sort((a, b) => a.at - b.at) };
}

/** Equal slots of the period, one occurrence in each, so that a fault is healed before it happens again. */
function occurrences({ op, who, undo }: FaultKind, start: number, period: number, repeat: number, random: Random): FaultStep[] {
  const times = 1 + Math.floor(random() * repeat);
  const slot = period / times;
  return Array.from({ length: times }, (_, n): FaultStep[] => {
    const at = Math.floor(start + n * slot + random() * slot * 0.5);
    const healed = Math.floor(at + (0.1 + random() * 0.35) * slot);
    return undo === undefined ? [{ at, op, who }] : [{ at, op, who }, { at: healed, op: undo, who }];
  }).flat();
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

export type FaultHandlers = Readonly<Record<string, (who: string) => Promise<void> | void>>;

/**
 * Runs the steps one after another, each at its time or, when the one before took longer, right after it. Resolves with the
 * number of steps done, at the end of the script's duration or early when `signal` fires; what needs healing then is the caller's.
 * @throws Error before the first step when an op has no handler; whatever a handler throws.
 */
export async function runFaultScript(
  script: FaultScript,
  handlers: FaultHandlers,
  signal: AbortSignal,
  clock: Clock = systemClock,
): Promise<number> {
  const missing = new Set(script.steps.map(({ op }) => op).filter((op) => !Object.hasOwn(handlers, op)));
  if (missing.size > 0) throw new Error(`no handler for: ${[...missing].join(", ")}`);
  const start = clock.now();
  let done = 0;
  for (const { at, op, who } of script.steps) {
    await clock.sleep(Math.max(0, start + at - clock.now()), signal);
    if (signal.aborted) return done;
    await handlers[op]?.(who);
    done++;
  }
  await clock.sleep(Math.max(0, start + script.duration - clock.now()), signal);
  return done;
}
