import { readFileSync, readdirSync } from "node:fs";
import { type LogLine, type Observable, observablesOfSuricata, observablesOfZeek } from "./observables.ts";

/** Something that happened, where it stands, and what can be looked for in it. */
export interface LogEvent {
  /** `zeek/conn.log` */
  readonly log: string;
  /** Milliseconds since 1970-01-01 UTC. */
  readonly time: number;
  readonly line: LogLine;
  readonly observables: readonly Observable[];
}

const folder: URL = new URL("../data/", import.meta.url);

/** Reads the bundled logs of Zeek (`zeek/*.log`) and Suricata (`suricata/*.json`), one JSON object a line. */
export function readLogs(): LogEvent[] {
  const files = ["zeek", "suricata"].flatMap((tool) => readdirSync(new URL(tool, folder)).map((name) => `${tool}/${name}`));
  return files.flatMap((log) => {
    const lines = readFileSync(new URL(log, folder), "utf8").trimEnd().split("\n");
    return lines.map((line) => eventOf(log, JSON.parse(line) as LogLine));
  });
}

export function eventOf(log: string, line: LogLine): LogEvent {
  // Zeek writes seconds, Suricata a time with its zone.
  const zeek = typeof line["ts"] === "number";
  const time = zeek ? Math.round(Number(line["ts"]) * 1_000) : Date.parse(String(line["timestamp"]));
  if (Number.isNaN(time)) throw new TypeError(`${log} has a line without a time`);
  return { log, time, line, observables: zeek ? observablesOfZeek(line) : observablesOfSuricata(line) };
}
