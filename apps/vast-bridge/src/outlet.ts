/** Where sightings go: the bus, standard output, or a command. */
import type { CommandLimits, Template } from "./command.ts";
import { fillCommand, runCommand } from "./command.ts";
import { pythonJson } from "./python-json.ts";
import type { Report } from "./sighting.ts";

/** `kept`: it has arrived. `again`: it may, later. `refused`: it was tried and there is no use in trying for ever. */
export type Delivery = { readonly outcome: "kept" } | { readonly outcome: "again" | "refused"; readonly reason: string };

export interface Outlet {
  /** One sighting, or several that a transformation made of it. Never rejects. */
  deliver(reports: readonly Report[]): Promise<Delivery>;
}

/** One line of JSON per event, on standard output. */
export function standardOutput(stream: NodeJS.WritableStream = process.stdout): Outlet {
  return {
    deliver: (reports) =>
      new Promise((resolve) => {
        const text = reports.map(({ x_threatbus_sighting_context: event }) => `${pythonJson(event)}\n`).join("");
        stream.write(text, (error) => resolve(error == null ? { outcome: "kept" } : { outcome: "again", reason: "standard output is closed" }));
      }),
  };
}

/** Each event on the standard input of a command of its own. */
export function commandSink(template: Template, limits: CommandLimits): Outlet {
  return {
    async deliver(reports) {
      for (const report of reports) {
        const end = await runCommand(fillCommand(template, valuesOf(report)), pythonJson(report.x_threatbus_sighting_context), limits);
        if (end.failure !== undefined) return { outcome: limits.signal.aborted || end.missing === true ? "again" : "refused", reason: end.failure };
      }
      return { outcome: "kept" };
    },
  };
}

/** What the placeholders of a command stand for. */
export function valuesOf({ x_threatbus_match: { value }, x_threatbus_match_type: type }: Report): { readonly ioc: string; readonly matchtype: string } {
  return { ioc: value, matchtype: type ?? "" };
}
