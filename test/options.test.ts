import { basename, join } from "node:path";
import { exampleConfig, loadConfig } from "@threatbus/core/config";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { apps, fleet, optionsOf, optionsOfApp, optionsOfFile } from "./options.ts";
import type { Option } from "./options.ts";
import { readText, root } from "./workspace.ts";

/** Rows of the tables of a text, by each name in their first cell. */
function rowsOf(text: string): Map<string, readonly string[]> {
  const rows = text.split("\n").filter((line) => line.startsWith("| `")).map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
  return new Map(rows.flatMap((cells) => [...(cells[0] ?? "").matchAll(/`([^`]+)`/g)].map(([, name = ""]): [string, string[]] => [name, cells])));
}

function undocumented(options: readonly Option[], text: string): string[] {
  const rows = rowsOf(text);
  return options.flatMap((option) => {
    const cells = rows.get(option.path);
    if (cells === undefined) return [`${option.path} has no row`];
    if (!("default" in option)) return [];
    const shown = typeof option.default === "string" ? option.default : JSON.stringify(option.default);
    return (cells[1] ?? "").includes(`\`${shown}\``) ? [] : [`${option.path}: its default ${shown} is not in the second cell of its row`];
  });
}

describe.each(fleet)("$name", ({ plugin, path, folder, manifest }) => {
  it("has one name: of its folder, its key and its package", () => {
    const name = basename(folder).replace(/^plugin-/, "");
    expect(plugin.name).toBe(name);
    expect(manifest.name).toBe(manifest.private === true ? `threatbus-plugin-${name}` : `@threatbus/${name}`);
    expect(plugin.kind).toBe(path.includes("/backbones/") ? "backbone" : "app");
    expect(plugin.contract).toBe(1);
  });

  it("has every option and its default in its README", () => {
    expect(undocumented(optionsOf(plugin), readText(path, "README.md"))).toEqual([]);
  });
});

it.each(apps)("$name has every option and its default in its README", (app) => {
  expect(optionsOfApp(app).length).toBeGreaterThan(5);
  expect(undocumented(optionsOfApp(app), readText(app.path, "README.md"))).toEqual([]);
});

it("has every option of the file and its default in docs/configuration.md", () => {
  expect(optionsOfFile().length).toBeGreaterThan(5);
  expect(undocumented(optionsOfFile(), readText("docs", "configuration.md"))).toEqual([]);
});

describe("docs/config.example.yaml", () => {
  const published = fleet.filter(({ manifest }) => manifest.private !== true).map(({ plugin }) => plugin).sort((a, b) => (a.name < b.name ? -1 : 1));
  const file = join(root, "docs", "config.example.yaml");

  it("is what `threatbus init` writes for the plugins of this repository (vitest -u writes it anew)", async () => {
    await expect(exampleConfig(published)).toMatchFileSnapshot(file);
  });

  it("names every option", () => {
    const text = readText("docs", "config.example.yaml");
    const everything = parse(text.replace(/^(\s*)#(?=\w)/gm, "$1")) as Record<string, unknown>;
    // What entries of a list hold is told in comments above it.
    const named = (path: string): boolean => (path.includes("[]") ? text.includes(`# - ${path.split(".").at(-1)}: `) : has(everything, path.split(".")));
    const missing = [
      ...optionsOfFile().map(({ path }) => path),
      ...published.flatMap((plugin) => optionsOf(plugin).map(({ path }) => `plugins.${plugin.kind}s.${plugin.name}.${path}`)),
    ].filter((path) => !named(path));
    expect(missing).toEqual([]);
  });

  it("starts as it is", async () => {
    const config = await loadConfig({ file, env: {}, fallback: [root] });
    expect(config.bus.backbones.map(({ name }) => name)).toEqual(["inmem"]);
    expect(config.bus.apps.length).toBeGreaterThan(0);
  });
});

function has(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return true;
  return typeof value === "object" && value !== null && step in value && has((value as Record<string, unknown>)[step], rest);
}
