import { dirname } from "node:path";
import type { Command } from "commander";
import { isThreatbusError } from "@threatbus/core";
import { fail } from "../failure.ts";
import { configOf, optionsOf, programFolder } from "../options.ts";
import { printable } from "@threatbus/program";

/** `plugins` */
export function addPlugins(program: Command): void {
  program
    .command("plugins")
    .option("--json", "as JSON", false)
    .summary("list the plugins that are installed and configured")
    .description("Lists the plugins to be found from the configuration's folder, and whether the configuration loads them. What is installed and not configured is not loaded.")
    .addHelpText("after", "\nExamples:\n  $ threatbus plugins\n  $ npm install @threatbus/misp && threatbus plugins --json")
    .action(async (_options: unknown, command: Command) => {
      const options = optionsOf<{ json: boolean }>(command);
      const { installedPlugins } = await import("@threatbus/core/config");
      // A configuration with problems is still worth a list of what there is.
      const config = await configOf(options).catch((error: unknown) => {
        if (!isThreatbusError(error)) throw error;
        fail(error);
        return undefined;
      });
      const folder = config?.file ?? (options.config === undefined ? undefined : options.config);
      const found = await installedPlugins([folder === undefined ? process.cwd() : dirname(folder), programFolder]);
      const configured = config?.plugins ?? [];
      const rows = [
        ...found.map(({ name, package: packageName, version, description, loaded, error }) => ({
          name,
          kind: loaded?.kind ?? "unusable",
          package: packageName,
          version,
          configured: config === undefined ? undefined : configured.some((plugin) => plugin.file === loaded?.file),
          description: error?.message ?? description,
        })),
        ...configured
          .filter(({ file }) => !found.some(({ loaded }) => loaded?.file === file))
          .map(({ name, kind, package: packageName }) => ({ name, kind, package: packageName, version: "", configured: true, description: "" })),
      ];
      if (options.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
      else process.stdout.write(table(rows.map((row) => [row.name, row.kind, row.package, row.version, state(row.configured), row.description])));
    });
}

function state(configured: boolean | undefined): string {
  return configured === undefined ? "" : configured ? "configured" : "not configured";
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
  const print = (row: readonly string[]): string => row.map((cell, column) => printable(cell).padEnd(widths[column] ?? 0)).join("  ").trimEnd();
  return rows.map((row) => `${print(row)}\n`).join("");
}
