import type { BusStats, SubscriptionStats } from "@threatbus/core";
import { exposition, sampleExposition, type ExpositionKind, type Row } from "@threatbus/program";

const metric = (name: string, kind: ExpositionKind, help: string, rows: readonly Row[]): string => exposition(`threatbus_${name}`, kind, help, rows);

/** What the process tells beside the bus. */
export interface ProcessFigures {
  /** Log entries that could not be written. */
  readonly logDropped: number;
  /** Bytes. */
  readonly memory: number;
  /** Seconds a callback waits for its turn, 99th percentile since the last time it was asked for. */
  readonly loopDelay: number;
}

/** The figures in the text format of Prometheus, version 0.0.4. */
export function prometheusText(stats: BusStats, figures: ProcessFigures): string {
  const { subscriptions, ended, snapshots } = stats;
  const parts = [
    metric("up", "gauge", "1 while the bus runs.", [[{}, stats.state === "running" ? 1 : 0]]),
    metric("published_total", "counter", "Messages this host gave to its backbones.", [[{}, stats.published]]),
    metric("publish_failed_total", "counter", "Messages a backbone did not take.", [[{}, stats.failed]]),
    metric("arrived_total", "counter", "Frames that came from the backbones: the sum of what became of them.", [[{}, stats.arrived]]),
    metric("frames_total", "counter", "Frames that came from the backbones, by what became of them.", [
      ...(["routed", "unmatched", "control", "duplicates"] as const).map((outcome): Row => [{ outcome }, stats[outcome]]),
      ...Object.entries(stats.refused).map(([reason, count]): Row => [{ outcome: "refused", reason }, count]),
    ]),
    ...subscriptionMetrics([...subscriptions, ended]),
    metric("subscriptions", "gauge", "Subscriptions there are.", [[{}, subscriptions.length]]),
    metric("subscriptions_ended_total", "counter", "Subscriptions that ended; their figures are added up under the name ended.", [[{}, ended.count]]),
    metric("snapshots_total", "counter", "Snapshots, by what was done.", (["asked", "begun", "answered", "failed", "ignored"] as const).map((step) => [{ step }, snapshots[step]])),
    metric("snapshots_open", "gauge", "Snapshots whose answers are waited for.", [[{}, snapshots.open]]),
    metric("snapshot_objects_total", "counter", "Objects of history.", (["sent", "arrived"] as const).map((direction) => [{ direction }, snapshots[direction]])),
    ...pluginMetrics(stats),
    metric("log_dropped_total", "counter", "Log entries that could not be written.", [[{}, figures.logDropped]]),
    metric("resident_memory_bytes", "gauge", "Memory of the process.", [[{}, figures.memory]]),
    metric("event_loop_delay_seconds", "gauge", "99th percentile of the wait for a turn.", [[{ quantile: "0.99" }, figures.loopDelay]]),
  ];
  return parts.join("");
}

function subscriptionMetrics(all: readonly SubscriptionStats[]): string[] {
  const rows = (of: (stats: SubscriptionStats) => number): Row[] => all.map((stats) => [{ subscription: stats.name }, of(stats)]);
  const dropped = all.flatMap(({ name, dropped }) => Object.entries(dropped).map(([reason, count]): Row => [{ subscription: name, reason }, count]));
  return [
    metric("subscription_received_total", "counter", "Messages for a subscription: the sum of the following and of what waits.", rows(({ received }) => received)),
    metric("subscription_delivered_total", "counter", "Handled.", rows(({ delivered }) => delivered)),
    metric("subscription_refused_total", "counter", "Refused by the handler.", rows(({ refused }) => refused)),
    metric("subscription_superseded_total", "counter", "Replaced in the queue by a newer version.", rows(({ superseded }) => superseded)),
    metric("subscription_dropped_total", "counter", "Dropped, by reason.", dropped),
    metric("subscription_acked_early_total", "counter", "Acknowledged to a broker while they still waited here; part of received.", rows(({ ackedEarly }) => ackedEarly)),
    metric("subscription_waiting", "gauge", "Waiting or in the handler's hands.", rows(({ waiting }) => waiting)),
    metric("subscription_waiting_bytes", "gauge", "Bytes of payload waiting.", rows(({ waitingBytes }) => waitingBytes)),
    metric("subscription_repeated_total", "counter", "History objects that had already arrived; not part of received.", rows(({ repeated }) => repeated)),
  ];
}

/** Samples of the same name are one metric, whichever plugins have them. */
function pluginMetrics({ plugins }: BusStats): string[] {
  const all = Object.entries(plugins).flatMap(([plugin, samples]) => samples.map((sample) => ({ ...sample, labels: { ...sample.labels, plugin } })));
  return sampleExposition("threatbus_plugin_", "Counted by a plugin.", all);
}
