/** Figures as one line of InfluxDB's line protocol, in the measurement and with the names of the reference. */

/** Numbers of one observation each, summed up: least, most and mean. */
class Summary {
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = -Infinity;

  add(value: number): void {
    this.#count++;
    this.#sum += value;
    this.#min = Math.min(this.#min, value);
    this.#max = Math.max(this.#max, value);
  }

  fields(name: string): [string, number][] {
    return this.#count === 0 ? [] : [[`${name}_min`, this.#min], [`${name}_max`, this.#max], [`${name}_avg`, this.#sum / this.#count]];
  }
}

/** What was counted since the last line. All are written without `i`, as floats: what is in a database from before stays of one type. */
export class Interval {
  readonly #counts = new Map<string, number>();
  #matches = new Summary();
  #times = new Summary();

  count(name: "added_iocs" | "removed_iocs" | "live_matcher_sightings", n: number = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + n);
  }

  /** One search of so many observables: hits, and milliseconds. */
  searched(observables: number, hits: number, took: number): void {
    for (let n = 0; n < observables; n++) {
      this.#matches.add(hits / observables);
      this.#times.add(took / 1_000 / observables);
    }
  }

  /** The line, with its end, for a time in milliseconds since 1970; nothing if nothing was counted. Counting begins anew. */
  take(host: string, backlog: number | undefined, now: number): string {
    const order = ["added_iocs", "removed_iocs"].flatMap((name): [string, number][] => (this.#counts.has(name) ? [[name, this.#counts.get(name) ?? 0]] : []));
    const sightings = this.#counts.get("live_matcher_sightings");
    const fields: [string, number][] = [
      ...order,
      ...this.#matches.fields("retro_matches_per_ioc"),
      ...this.#times.fields("retro_query_time_per_ioc"),
      ...(backlog === undefined ? [] : [["retro_match_backlog", backlog] as [string, number]]),
      ...(sightings === undefined ? [] : [["live_matcher_sightings", sightings] as [string, number]]),
    ];
    this.#counts.clear();
    this.#matches = new Summary();
    this.#times = new Summary();
    if (fields.length === 0) return "";
    return `vast-threatbus,host=${escapeTag(host)} ${fields.map(([name, value]) => `${name}=${value}`).join(",")} ${BigInt(Math.trunc(now)) * 1_000_000n}\n`;
  }
}

/** Commas, equals signs and blanks end a tag; a backslash at its end, a line break or an empty one would spoil the line. */
export function escapeTag(text: string): string {
  const plain = text.replace(/[\r\n\t\\]/g, " ").trim();
  return plain === "" ? "unknown" : plain.replace(/[,= ]/g, "\\$&");
}
