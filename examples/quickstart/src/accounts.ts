import type { Sample } from "@threatbus/core";
import type { Fed } from "./replay.ts";

/** How often each message was met. */
export class Tally {
  readonly times: Map<string, number> = new Map<string, number>();
  total = 0;
  #closed = false;

  add(key: string): void {
    this.total++;
    if (!this.#closed) this.times.set(key, (this.times.get(key) ?? 0) + 1);
  }

  /** From now on only the total is kept, however long it goes on. */
  close(): void {
    this.#closed = true;
    this.times.clear();
  }
}

/** What everybody says happened. The feed and the app are other processes; the rest is the bus's. */
export interface Books {
  /** What the feed sent, and what should become of it. */
  readonly fed: Fed;
  /** Figures of the misp plugin. */
  readonly misp: readonly Sample[];
  /** Indicators on the bus, and those that the app got. */
  readonly published: Tally;
  readonly received: Tally;
  /** Sightings that the app sent, and those that came to the bus. */
  readonly sent: Tally;
  readonly arrived: Tally;
}

/** Two figures that have to be equal. */
export interface Row {
  readonly what: string;
  readonly expected: number;
  readonly counted: number;
  readonly equal: boolean;
}

export function accounts({ fed, misp, published, received, sent, arrived }: Books): Row[] {
  const figure = (name: string, label = ""): number => misp.find((sample) => sample.name === name && labelOf(sample) === label)?.value ?? 0;
  const each = (what: string, name: string, expected: Readonly<Record<string, number>>): Row[] => {
    const labels = new Set([...Object.keys(expected), ...misp.filter((sample) => sample.name === name).map(labelOf)]);
    return [...labels].sort().map((label) => row(`${what}${label}`, expected[label] ?? 0, figure(name, label)));
  };
  const outcomes = ["misp_mapped", "misp_skipped", "misp_refused"];
  const settled = misp.filter(({ name }) => outcomes.includes(name)).reduce((sum, { value }) => sum + value, 0);
  return [
    row("frames from MISP, received", fed.frames, figure("misp_received", "feed")),
    row("  mapped to indicators", fed.mapped, figure("misp_mapped")),
    ...each("  skipped: ", "misp_skipped", fed.skipped),
    ...each("  refused: ", "misp_refused", fed.refused),
    row("  all together", fed.frames, settled),
    ...each("indicators onto the bus: ", "misp_messages", fed.updates),
    compare("indicators at the app", published, received),
    compare("sightings back on the bus", sent, arrived),
  ];
}

export function balance(rows: readonly Row[]): boolean {
  return rows.every(({ equal }) => equal);
}

export function printAccounts(rows: readonly Row[]): string[] {
  const line = (what: string, expected: unknown, counted: unknown, verdict: string): string =>
    `  ${what.padEnd(34)}${String(expected).padStart(9)}${String(counted).padStart(9)}  ${verdict}`;
  const lines = rows.map(({ what, expected, counted, equal }) => line(what, expected, counted, equal ? "✓ equal" : "✗ differ"));
  return [line("", "expected", "counted", "").trimEnd(), ...lines];
}

function labelOf({ labels }: Sample): string {
  return Object.values(labels)[0] ?? "";
}

function row(what: string, expected: number, counted: number): Row {
  return { what, expected, counted, equal: expected === counted };
}

/** Equal if every message sent arrived, as often as it was sent. Others may send too. */
function compare(what: string, sent: Tally, arrived: Tally): Row {
  const counts = [...sent.times].map(([key, times]) => [times, arrived.times.get(key) ?? 0] as const);
  const counted = counts.reduce((sum, [, times]) => sum + times, 0);
  return { what, expected: sent.total, counted, equal: counts.every(([expected, found]) => expected === found) };
}
