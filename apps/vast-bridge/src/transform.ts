import type { Metrics } from "@threatbus/core";
import { fillCommand, runCommand } from "./command.ts";
import type { CommandLimits, Template } from "./command.ts";
import type { JsonObject } from "./engine.ts";
import { valuesOf } from "./outlet.ts";
import { presentable } from "./presentable.ts";
import { uuid5 } from "./sighting.ts";
import type { Report } from "./sighting.ts";

export type Transform = (report: Report) => Promise<readonly Report[]>;

/**
 * Hands the event to a command, and takes what it prints, one JSON object per line, in its place; of several lines each is a sighting. A command that is
 * missing, fails, takes too long or prints nothing that is an object leaves the event as it was: `onFailure` is told, and nothing is lost.
 */
export function transformBy(template: Template, limits: CommandLimits, metrics: Metrics, onFailure: (reason: string) => void): Transform {
  const failures = metrics.counter("transform_failures");
  return async (report) => {
    const end = await runCommand(fillCommand(template, valuesOf(report)), JSON.stringify(report.x_threatbus_sighting_context), limits);
    const events = end.lines.map(objectIn).filter((event) => event !== undefined);
    const failure = end.failure ?? (events.length === 0 ? "it printed no JSON object" : events.length < end.lines.length ? "a line it printed is no JSON object" : undefined);
    if (failure !== undefined && !limits.signal.aborted) {
      failures.add();
      onFailure(failure);
    }
    if (events.length === 0) return [report];
    return events.map((event, n) => ({
      ...report,
      ...(n > 0 && { id: `sighting--${uuid5(`${report.id} ${n}`)}` as const }),
      x_threatbus_sighting_context: presentable(event),
    }));
  };
}

function objectIn(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
