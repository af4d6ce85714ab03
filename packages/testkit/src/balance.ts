import type { BusStats, SubscriptionStats } from "@threatbus/core";

/**
 * Holds the figures of a bus to their promise: for every subscription, received = delivered + refused + superseded + dropped +
 * waiting; for the bus, arrived = routed + unmatched + control + duplicates + refused, and nothing negative.
 * @throws Error with one line per figure that does not balance
 */
export function expectBalanced(stats: BusStats): void {
  const { arrived, routed, unmatched, control, duplicates } = stats;
  const refused = sum(stats.refused);
  const wrong = [
    ...unequal("the bus", { arrived }, { routed, unmatched, control, duplicates, refused }),
    ...[...stats.subscriptions, stats.ended].flatMap(unbalanced),
    ...(routed > 0 && received(stats) < routed ? [`the bus: routed ${routed}, but its subscriptions received only ${received(stats)}`] : []),
  ];
  if (wrong.length > 0) throw new Error(`figures that do not balance:\n${wrong.join("\n")}`);
}

function unbalanced({ name, received: left, delivered, refused, superseded, dropped, waiting }: SubscriptionStats): string[] {
  return unequal(`subscription ${name}`, { received: left }, { delivered, refused, superseded, dropped: sum(dropped), waiting });
}

function unequal(who: string, left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>): string[] {
  const negative = Object.entries({ ...left, ...right }).filter(([, value]) => !(value >= 0));
  if (negative.length === 0 && sum(left) === sum(right)) return [];
  return [`${who}: ${words(left)} is not ${words(right)}`];
}

function words(side: Readonly<Record<string, number>>): string {
  return Object.entries(side).map(([name, value]) => `${name} ${value}`).join(" + ");
}

function sum(values: Readonly<Record<string, number>>): number {
  return Object.values(values).reduce((total, value) => total + value, 0);
}

function received({ subscriptions, ended }: BusStats): number {
  return subscriptions.reduce((total, { received: count }) => total + count, ended.received);
}
