import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isThreatbusError, type ThreatbusError } from "../errors.ts";
import { loadPlugin, type LoadedPlugin } from "./load.ts";
import { isSection } from "./settings.ts";

/** A package that may be a plugin. */
export interface InstalledPackage {
  /** The key of the configuration file that would load it. */
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly description: string;
  readonly folder: string;
}

/** An {@link InstalledPackage} that was imported: a plugin, or why it cannot be loaded. */
export interface InstalledPlugin extends InstalledPackage {
  readonly loaded?: LoadedPlugin;
  readonly error?: ThreatbusError;
}

const scope = "@threatbus";
/** Packages of the scope that are no plugins. */
const sisters: ReadonlySet<string> = new Set(["core", "testkit", "zmq-client", "vast-bridge"]);
const plainPrefix = "threatbus-plugin-";

/** Packages `@threatbus/*` and `threatbus-plugin-*` that the loader would find from `folders`, by name. Nothing is imported. */
export async function installedPackages(folders: readonly string[]): Promise<InstalledPackage[]> {
  const found = new Map<string, InstalledPackage>();
  const visited = new Set<string>();
  for (const start of folders) {
    for (let folder = start; !visited.has(folder); folder = dirname(folder)) {
      visited.add(folder);
      const modules = join(folder, "node_modules");
      const scoped = (await names(join(modules, scope)))
        .filter((name) => !sisters.has(name))
        .map((name) => ({ name, package: `${scope}/${name}` }));
      const plain = (await names(modules))
        .filter((name) => name.startsWith(plainPrefix))
        .map((name) => ({ name: name.slice(plainPrefix.length), package: name }));
      for (const candidate of [...scoped, ...plain]) {
        const manifest = found.has(candidate.package) ? undefined : await readManifest(join(modules, candidate.package));
        if (manifest !== undefined) found.set(candidate.package, { ...candidate, ...manifest });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.package < b.package ? -1 : 1));
}

/** The {@link installedPackages}, each imported to see whether it is a plugin. */
export async function installedPlugins(
  folders: readonly string[],
  options: { readonly importTimeout?: number } = {},
): Promise<InstalledPlugin[]> {
  const packages = await installedPackages(folders);
  return Promise.all(packages.map((candidate) => tryPlugin(candidate, folders, options)));
}

async function tryPlugin(
  candidate: InstalledPackage,
  from: readonly string[],
  options: { readonly importTimeout?: number },
): Promise<InstalledPlugin> {
  try {
    return { ...candidate, loaded: await loadPlugin({ name: candidate.name, package: candidate.package, from, ...options }) };
  } catch (error) {
    if (isThreatbusError(error)) return { ...candidate, error };
    throw error;
  }
}

async function names(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

async function readManifest(folder: string): Promise<{ version: string; description: string; folder: string } | undefined> {
  try {
    const manifest: unknown = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const text = (name: string): string => (isSection(manifest) && typeof manifest[name] === "string" ? manifest[name] : "");
    return { version: text("version"), description: text("description"), folder };
  } catch {
    return undefined;
  }
}
