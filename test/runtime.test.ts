import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { published, readText, root } from "./workspace.ts";

const run = promisify(execFile);
const here = join(root, "test");

/** Addresses of the modules that built code loads, Node's own included. */
async function loadedBy(...args: readonly string[]): Promise<string[]> {
  const { stdout } = await run(process.execPath, ["--import", "./record-loads.mjs", ...args], { cwd: here, timeout: 60_000 });
  return stdout.split("\n").filter((line) => line.startsWith("loaded ")).map((line) => line.slice("loaded ".length));
}

const imports = (specifier: string): readonly string[] => ["--input-type=module", "-e", `await import("${specifier}")`];
const third = (urls: readonly string[]): string[] => urls.filter((url) => /\/node_modules\/(zod|yaml)\//.test(url));

describe("composing a bus in code", () => {
  it("loads neither a YAML parser nor a schema library through core", async () => {
    const urls = await loadedBy(...imports("@threatbus/core"));
    expect(urls.some((url) => url.endsWith("/packages/core/dist/index.js"))).toBe(true);
    expect(third(urls)).toEqual([]);
  });

  it("does not while it runs, either", async () => {
    const urls = await loadedBy(join(root, "examples", "compose-a-bus", "dist", "main.js"));
    expect(urls.some((url) => url.endsWith("/packages/backbones/inmem/dist/index.js"))).toBe(true);
    expect(third(urls)).toEqual([]);
  });

  it("is apart from reading configuration, which loads both", async () => {
    const names = third(await loadedBy(...imports("@threatbus/core/config"))).map((url) => /node_modules\/(zod|yaml)\//.exec(url)?.[1]);
    expect([...new Set(names)].sort()).toEqual(["yaml", "zod"]);
  });
});

interface Lockfile {
  readonly importers: Readonly<Record<string, { dependencies?: Record<string, { version: string }> }>>;
  readonly snapshots: Readonly<Record<string, { dependencies?: Record<string, string>; optionalDependencies?: Record<string, string> }>>;
}

/** Third-party packages that the published packages need to run, `name@version`, by the lockfile. */
function production({ importers, snapshots }: Lockfile): string[] {
  const found = new Set<string>();
  const visit = (name: string, version: string): void => {
    const key = snapshots[version] === undefined ? `${name}@${version}` : version;
    if (version.startsWith("link:") || found.has(key)) return;
    found.add(key);
    for (const [next, nextVersion] of Object.entries({ ...snapshots[key]?.dependencies, ...snapshots[key]?.optionalDependencies })) visit(next, nextVersion);
  };
  for (const { path } of published)
    for (const [name, { version }] of Object.entries(importers[path]?.dependencies ?? {})) visit(name, version);
  return [...found].sort();
}

describe("what an installation brings along", () => {
  const packages = production(parse(readText("pnpm-lock.yaml")) as Lockfile);
  const folderOf = (key: string): string => {
    const name = key.slice(0, key.indexOf("@", 1));
    return join(root, "node_modules", ".pnpm", key.replaceAll("/", "+"), "node_modules", name);
  };

  it("is twelve third-party packages at most, each in one version", () => {
    expect(packages).toContainEqual(expect.stringMatching(/^zeromq@/));
    expect(packages.length).toBeLessThanOrEqual(12);
    expect(new Set(packages.map((key) => key.slice(0, key.indexOf("@", 1)))).size).toBe(packages.length);
  });

  it("runs no script, and needs none: what has one was denied it and works", () => {
    const workspace = parse(readText("pnpm-workspace.yaml")) as { onlyBuiltDependencies: string[]; ignoredBuiltDependencies: string[]; strictDepBuilds: boolean };
    expect(workspace).toMatchObject({ onlyBuiltDependencies: [], strictDepBuilds: true });
    const scripted = packages.filter((key) => {
      const { scripts = {} } = JSON.parse(readFileSync(join(folderOf(key), "package.json"), "utf8")) as { scripts?: Record<string, string> };
      return ["preinstall", "install", "postinstall"].some((hook) => hook in scripts) || existsSync(join(folderOf(key), "binding.gyp"));
    });
    expect(scripted.map((key) => key.slice(0, key.indexOf("@", 1))).filter((name) => !workspace.ignoredBuiltDependencies.includes(name))).toEqual([]);
  });
});
