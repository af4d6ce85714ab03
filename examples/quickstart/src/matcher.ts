import { BlockList, isIP } from "node:net";
import { pointIndicators } from "@threatbus/core";
import type { BusIndicator } from "@threatbus/zmq-client";
import { canonical } from "./canonical.ts";
import type { LogEvent } from "./logs.ts";
import type { Observable } from "./observables.ts";

export interface Match {
  readonly indicator: BusIndicator;
  readonly observable: Observable;
  readonly event: LogEvent;
}

/** Indicators known now, and the log events to look for them in. */
export class Matcher {
  /** Object path → value → events. */
  readonly #events = new Map<string, Map<string, LogEvent[]>>();
  /** Indicator id → events it was seen in. */
  readonly #known = new Map<string, Set<LogEvent>>();

  constructor(events: readonly LogEvent[]) {
    for (const event of events) {
      for (const { path, value } of event.observables) {
        const values = getOrAdd(this.#events, path, () => new Map<string, LogEvent[]>());
        getOrAdd(values, value, (): LogEvent[] => []).push(event);
      }
    }
  }

  /** How many indicators are known now. */
  get known(): number {
    return this.#known.size;
  }

  /** Takes up a new indicator, a newer version of one, or its removal. Returns what it matches and did not match before. */
  learn(indicator: BusIndicator): Match[] {
    const { id, x_threatbus_update: update } = indicator;
    if (update === "REMOVE") {
      this.#known.delete(id);
      return [];
    }
    const seen = (update === "EDIT" ? this.#known.get(id) : undefined) ?? new Set();
    this.#known.set(id, seen);
    const matches: Match[] = [];
    for (const { observable, event } of pointsOf(indicator).flatMap((point) => this.#find(point))) {
      if (seen.has(event)) continue;
      seen.add(event);
      matches.push({ indicator, observable, event });
    }
    return matches;
  }

  #find({ path, value }: Observable): { observable: Observable; event: LogEvent }[] {
    const values = this.#events.get(path);
    const block = blockOf(path, value);
    const hits = block === undefined ? [value] : [...(values?.keys() ?? [])].filter((address) => block.check(address, familyOf(path)));
    return hits.flatMap((hit) => (values?.get(hit) ?? []).map((event) => ({ observable: { path, value: hit }, event })));
  }
}

/** The values an indicator names. None if its pattern is more than that: two things together, one after the other, another language. */
function pointsOf({ pattern, pattern_type }: BusIndicator): Observable[] {
  const points = pattern_type === "stix" ? pointIndicators(pattern) : undefined;
  return (points ?? []).map(({ path, value }) => ({ path, value: canonical(path, value) }));
}

function blockOf(path: string, value: string): BlockList | undefined {
  const [, base = "", length = ""] = /^([\d.]+|[\da-f:.]+)\/(\d{1,3})$/i.exec(value) ?? [];
  const family = familyOf(path);
  if (`ipv${isIP(base)}` !== family || Number(length) > (family === "ipv4" ? 32 : 128)) return undefined;
  const block = new BlockList();
  block.addSubnet(base, Number(length), family);
  return block;
}

function familyOf(path: string): "ipv4" | "ipv6" {
  return path === "ipv6-addr:value" ? "ipv6" : "ipv4";
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const there = map.get(key);
  if (there !== undefined) return there;
  const made = make();
  map.set(key, made);
  return made;
}
