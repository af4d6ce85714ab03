import type { Sample } from "@threatbus/core";
import type { Figures } from "./figures.ts";
import type { Fed } from "./replay.ts";

/** How often something was met, by kind. */
export type Tally = Readonly<Record<string, number>>;

/** What everybody says happened. The feed and the app are other processes; the rest is the bus's. */
export interface Books {
  /** What the feed sent, and what should become of it. */
  readonly fed: Fed;
  /** Figures of the misp plugin. */
  readonly misp: readonly Sample[];
  /** Indicators on the bus. */
  readonly published: number;
  /** Figures of the app. */
  readonly app: Figures;
  /** The app's sightings on the bus: `LIVE`, `RETRO`. */
  readonly arrived: Tally;
}

/** Two figures that have to be equal. */
export interface Row {
  readonly what: string;
  readonly expected: number;
  readonly counted: number;
  readonly equal: boolean;
}

export function accounts({ fed, misp, published, app, arrived }: Books): Row[] {
  const figure = (name: string, label = ""): number => misp.find((sample) => sample.name === name && labelOf(sample) === label)?.value ?? 0;
  const each = (what: string, name: string, expected: Tally): Row[] => {
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
    row("indicators at the app", published, app.sumOf("indicators_received_total")),
    ...["RETRO", "LIVE"].map((match) => row(`sightings back on the bus: ${match}`, app.of(`sightings_total{match="${match}"}`), arrived[match] ?? 0)),
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

export function row(what: string, expected: number, counted: number): Row {
  return { what, expected, counted, equal: expected === counted };
}

function labelOf({ labels }: Sample): string {
  return Object.values(labels)[0] ?? "";
}
