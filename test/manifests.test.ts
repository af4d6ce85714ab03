import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packages, published } from "./workspace.ts";

const coreRange = "workspace:>=0.1.0 <1";
const installHooks = ["preinstall", "install", "postinstall", "prepare", "prepublish"];

it("finds the fleet", () => {
  expect(published.length).toBeGreaterThanOrEqual(8);
  expect(new Set(packages.map(({ name }) => name)).size).toBe(packages.length);
});

describe.each(packages)("$name", ({ manifest }) => {
  it("is an ES module of this licence for this Node", () => {
    expect(manifest).toMatchObject({ license: "BSD-3-Clause", type: "module", engines: { node: ">=20.19" } });
  });

  it("runs nothing when it is installed", () => {
    expect(Object.keys(manifest.scripts ?? {}).filter((name) => installHooks.includes(name))).toEqual([]);
  });

  it("takes core, if as a peer, in the agreed range and not twice", () => {
    const peer = manifest.peerDependencies?.["@threatbus/core"];
    if (peer === undefined) return;
    expect(peer).toBe(coreRange);
    expect(manifest.dependencies ?? {}).not.toHaveProperty("@threatbus/core");
    expect(manifest.devDependencies).toHaveProperty("@threatbus/core", "workspace:*");
  });

  it("names the others of the workspace by workspace ranges", () => {
    const edges = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies, ...manifest.peerDependencies });
    const own = new Set(packages.map(({ name }) => name));
    expect(edges.filter(([name, range]) => own.has(name) !== range.startsWith("workspace:"))).toEqual([]);
  });
});

describe.each(published)("$name, published", ({ name, manifest, folder, path }) => {
  it("says what it is, and where it is from", () => {
    expect(name).toMatch(/^(@threatbus\/[a-z0-9-]+|threatbus|stix2-ts-types)$/);
    expect(manifest.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(manifest.description).toMatch(/\S{3}/);
    expect(manifest.repository).toMatchObject({ type: "git", directory: path });
    expect(manifest.publishConfig).toEqual({ access: "public", provenance: true });
  });

  it("exports source first, then types, then what runs", () => {
    const { ".": main, "./package.json": own } = manifest.exports ?? {};
    expect(main).toBeDefined();
    expect(own).toBe("./package.json");
    for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target === "string") continue;
      expect(Object.keys(target), entry).toEqual(["@threatbus/source", "types", "default"]);
      const source = target["@threatbus/source"] ?? "";
      const stem = source.replace(/^\.\/src\//, "").replace(/\.ts$/, "");
      expect(target, entry).toEqual({ "@threatbus/source": `./src/${stem}.ts`, types: `./dist/${stem}.d.ts`, default: `./dist/${stem}.js` });
      expect(existsSync(join(folder, source)), source).toBe(true);
    }
  });

  it("has no side effects on import, a command excepted", () => {
    if (manifest.bin === undefined) expect(manifest.sideEffects).toBe(false);
    for (const file of Object.values(manifest.bin ?? {})) expect(existsSync(join(folder, file)), file).toBe(true);
  });

  it("ships what runs, its source, its licence and its guide", () => {
    expect(manifest.files).toEqual([...(manifest.bin === undefined ? [] : ["bin"]), "dist", "src", "!src/**/*.test.ts"]);
    for (const file of ["README.md", "LICENSE"]) expect(existsSync(join(folder, file)), file).toBe(true);
  });
});
