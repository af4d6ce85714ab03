/** The text format of Prometheus, version 0.0.4. */
import type { Sample } from "@threatbus/core";

export type Labels = Readonly<Record<string, string>>;
export type Row = readonly [labels: Labels, value: number];
export type ExpositionKind = "counter" | "gauge";

/** One metric with its samples. `name` is whole: `threatbus_published_total`. */
export function exposition(name: string, kind: ExpositionKind, help: string, rows: readonly Row[]): string {
  const lines = rows.map(([labels, value]) => `${name}${printLabels(labels)} ${Number.isFinite(value) ? value : "NaN"}\n`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${lines.join("")}`;
}

/** Samples of core's `MetricSet`, those of the same name as one metric. Names get `prefix`, counters `_total`. */
export function sampleExposition(prefix: string, help: string, samples: readonly Sample[]): string[] {
  const metrics = new Map<string, { kind: ExpositionKind; rows: Row[] }>();
  for (const { name, labels, kind, value } of samples) {
    const known = metrics.get(`${kind} ${name}`) ?? { kind, rows: [] };
    known.rows.push([labels, value]);
    metrics.set(`${kind} ${name}`, known);
  }
  return [...metrics].map(([key, { kind, rows }]) => {
    const name = prefix + key.slice(kind.length + 1).replace(/[^a-zA-Z0-9_]/g, "_");
    return exposition(kind === "counter" && !name.endsWith("_total") ? `${name}_total` : name, kind, help, rows);
  });
}

function printLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name.replace(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d)/, "_")}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
