import type { LoadedConfig, Override } from "@threatbus/core/config";
import type { Command } from "commander";

/** Options that go before or behind any command. */
export interface GlobalOptions {
  readonly config?: string;
  readonly set: readonly string[];
  readonly misp?: string;
  readonly zeek?: string;
  readonly verbose: boolean;
  readonly logFormat: "text" | "json";
}

/** The options of a command and the global ones. */
export function optionsOf<Own extends object>(command: Command): Own & GlobalOptions {
  return command.optsWithGlobals<Own & GlobalOptions>();
}

/** Folders to find plugins from beside the configuration's own: this program's. */
export const programFolder: string = import.meta.dirname;

/** Reads the configuration that the options name. Loads a YAML parser and a schema library. */
export async function configOf({ config, set, misp, zeek }: GlobalOptions): Promise<LoadedConfig> {
  const { loadConfig, mispShortcut, zeekShortcut } = await import("@threatbus/core/config");
  const overrides: (string | Override)[] = [...set];
  if (misp !== undefined) overrides.push(...mispShortcut(misp));
  if (zeek !== undefined) overrides.push(...zeekShortcut(zeek));
  return loadConfig({ file: config, set: overrides, fallback: [programFolder] });
}
