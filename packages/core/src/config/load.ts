import { existsSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Plugin, PluginKind } from "../contract.ts";
import { reasonOf, ThreatbusError } from "../errors.ts";
import { sections, type AnyPlugin } from "./json-schema.ts";

const contract = 1;
/** Milliseconds a plugin's module may take to load. */
const defaultImportTimeout = 10_000;
/** Names of plugins in a bus. */
export const pluginName: RegExp = /^[a-z0-9][a-z0-9._-]{0,99}$/;
const packagePattern = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

export interface PluginRequest {
  /** Refuses the other kind; either will do without. */
  readonly kind?: PluginKind;
  /** As in the configuration. */
  readonly name: string;
  /** npm package or `./path`; default `@threatbus/<name>`, then `threatbus-plugin-<name>`. */
  readonly package?: string | undefined;
  /** Folders to look from, first the configuration file's. Paths are relative to the first. */
  readonly from: readonly string[];
  /** Milliseconds; default 10,000. */
  readonly importTimeout?: number | undefined;
}

export interface LoadedPlugin {
  readonly kind: PluginKind;
  /** As in the configuration. */
  readonly name: string;
  /** Package name or path. */
  readonly package: string;
  /** The module loaded, absolute. */
  readonly file: string;
  readonly plugin: Plugin<PluginKind, unknown>;
}

/**
 * Finds and imports a plugin and checks that it is one.
 * @throws ThreatbusError `PLUGIN_NOT_INSTALLED`, `PLUGIN_LOAD_FAILED`, `PLUGIN_WRONG_CONTRACT`; `CONFIG_INVALID` for a bad name
 */
export async function loadPlugin(request: PluginRequest): Promise<LoadedPlugin> {
  const { kind, name } = request;
  const found = resolvePlugin(request);
  const plugin = checkPlugin(await importPlugin(found.file, name, request.importTimeout), found.package, name);
  if (kind !== undefined && plugin.kind !== kind) {
    const hint = `move it to plugins.${sections[plugin.kind]}`;
    throw new ThreatbusError("PLUGIN_WRONG_CONTRACT", `${found.package} is ${article(plugin.kind)}, not ${article(kind)}`, {
      plugin: name,
      hint,
    });
  }
  return { kind: plugin.kind, name, ...found, plugin };
}

function resolvePlugin({ name, package: explicit, from }: PluginRequest): { package: string; file: string } {
  const isPath = explicit !== undefined && /^\.\.?\//.test(explicit);
  if (!pluginName.test(name))
    throw new ThreatbusError("CONFIG_INVALID", "a plugin's name is lower-case letters, digits, dots, dashes and underscores");
  if (explicit !== undefined && !isPath && (!packagePattern.test(explicit) || explicit.length > 214 || isBuiltin(explicit))) {
    throw new ThreatbusError("CONFIG_INVALID", "package is the name of an npm package, or a path that begins with ./", { plugin: name });
  }
  const candidates = explicit === undefined ? [`@threatbus/${name}`, `threatbus-plugin-${name}`] : [explicit];
  for (const candidate of candidates) {
    for (const folder of isPath ? from.slice(0, 1) : from) {
      const file = resolveFrom(folder, candidate, name);
      if (file !== undefined) return { package: candidate, file };
    }
  }
  const looked = from.length === 0 ? "" : `, looked from ${from.join(" and ")}`;
  if (isPath) throw new ThreatbusError("PLUGIN_NOT_INSTALLED", `there is nothing at ${explicit}${looked}`, { plugin: name });
  const hint = `run: npm install ${candidates[0]}${from[0] === undefined ? "" : `   (in ${from[0]})`}`;
  throw new ThreatbusError("PLUGIN_NOT_INSTALLED", `${candidates.join(" or ")} is not installed${looked}`, { plugin: name, hint });
}

/** The module's file, or nothing if the package is not there. What is there and has no module is broken. */
function resolveFrom(folder: string, specifier: string, name: string): string | undefined {
  const require = createRequire(join(folder, "threatbus.config.js"));
  try {
    return require.resolve(specifier);
  } catch (error) {
    const places = specifier.startsWith(".") ? [folder] : (require.resolve.paths(specifier) ?? []);
    const present = places.map((place) => join(place, specifier)).find((place) => existsSync(place));
    if (present === undefined) return undefined;
    const hint = "it may be unbuilt or half installed: install it again";
    throw new ThreatbusError("PLUGIN_LOAD_FAILED", `${specifier} has no module to load (${present})`, { plugin: name, hint, cause: error });
  }
}

async function importPlugin(file: string, name: string, timeout: number = defaultImportTimeout): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const words = `${file} does not finish loading: it waits for something at its top level`;
    timer = setTimeout(() => reject(new ThreatbusError("PLUGIN_LOAD_FAILED", words, { plugin: name })), timeout);
  });
  const url = pathToFileURL(file).href;
  const module: Promise<unknown> = import(/* @vite-ignore */ url).catch((error: unknown) => {
    throw new ThreatbusError("PLUGIN_LOAD_FAILED", `${file} failed while loading: ${reasonOf(error)}`, {
      plugin: name,
      cause: error,
      ...missing(error, file),
    });
  });
  try {
    return await Promise.race([module, late]);
  } finally {
    clearTimeout(timer);
  }
}

function missing(error: unknown, file: string): { hint?: string } {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ERR_MODULE_NOT_FOUND" && code !== "MODULE_NOT_FOUND") return {};
  return { hint: `something it depends on is not installed: install the plugin again (${dirname(file)})` };
}

/** @throws ThreatbusError `PLUGIN_WRONG_CONTRACT` */
export function checkPlugin(module: unknown, packageName: string, name: string): Plugin<PluginKind, unknown> {
  const wrong = (message: string, hint?: string): ThreatbusError =>
    new ThreatbusError("PLUGIN_WRONG_CONTRACT", `${packageName} ${message}`, { plugin: name, ...(hint === undefined ? {} : { hint }) });
  if (typeof module !== "object" || module === null || !("default" in module)) throw wrong("has no default export, so it is no plugin");
  const made = module.default;
  if (typeof made !== "function" || !("contract" in made) || !("kind" in made)) {
    throw wrong("is no plugin: its default export was not made by defineBackbone or defineApp");
  }
  const plugin = made as unknown as Plugin<PluginKind, unknown>;
  const revision: unknown = plugin.contract;
  if (revision !== contract) {
    const other = typeof revision === "number" ? `for contract ${revision}` : "for another contract";
    throw wrong(
      `is ${other}; this Threat Bus speaks contract ${contract}`,
      "install versions of the plugin and of threatbus that belong together",
    );
  }
  if (!Object.hasOwn(sections, plugin.kind) || typeof plugin.name !== "string" || !pluginName.test(plugin.name)) {
    throw wrong("is no plugin: its kind or name is not one");
  }
  return plugin;
}

/** For functions that take any plugin. */
export function pluginsOf(loaded: readonly LoadedPlugin[]): AnyPlugin[] {
  return loaded.map(({ plugin }) => plugin);
}

function article(kind: PluginKind): string {
  return kind === "app" ? "an app" : "a backbone";
}
