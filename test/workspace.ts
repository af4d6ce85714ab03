/** The workspace as it is found on disk: no test lists packages by name. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

export const root: string = resolve(dirname(fileURLToPath(import.meta.url)), "..");

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license?: string;
  readonly description?: string;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly files?: readonly string[];
  readonly repository?: { readonly type: string; readonly url: string; readonly directory: string };
  readonly publishConfig?: Readonly<Record<string, unknown>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export interface WorkspacePackage {
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** From the top of the repository. */
  readonly path: string;
  readonly manifest: Manifest;
}

/** Every package that pnpm-workspace.yaml covers. */
export const packages: readonly WorkspacePackage[] = readWorkspace();
export const published: readonly WorkspacePackage[] = packages.filter(({ manifest }) => manifest.private !== true);
/** Packages that hold a plugin: those of the plugin folders, and those named as plugins. */
export const plugins: readonly WorkspacePackage[] = packages.filter(
  ({ name, path }) => /^packages\/(backbones|app-plugins)\//.test(path) || name.startsWith("threatbus-plugin-"),
);

function readWorkspace(): WorkspacePackage[] {
  const { packages: patterns } = parse(readFileSync(join(root, "pnpm-workspace.yaml"), "utf8")) as { packages: string[] };
  return patterns
    .flatMap((pattern) => (pattern.endsWith("/*") ? foldersIn(join(root, pattern.slice(0, -2))) : [join(root, pattern)]))
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => {
      const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
      return { name: manifest.name, folder, path: relative(root, folder), manifest };
    });
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
}

const skipped: ReadonlySet<string> = new Set(["node_modules", "dist", ".git", ".cache", "results", "coverage"]);

/** Files below a folder that are part of the repository's text, absolute. */
export function filesBelow(folder: string, ending = ""): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return skipped.has(entry.name) ? [] : filesBelow(path, ending);
    return entry.isFile() && path.endsWith(ending) ? [path] : [];
  });
}

export const typescriptBelow = (folder: string): string[] => filesBelow(folder, ".ts").filter((file) => !file.endsWith(".d.ts"));

export const readText = (...path: readonly string[]): string => readFileSync(join(root, ...path), "utf8");

export const folderName = ({ folder }: WorkspacePackage): string => basename(folder);
