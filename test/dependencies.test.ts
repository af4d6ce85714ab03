import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { packagesImportedBy, relativeImportsOf, relativeLoadsOf, namesImportedFrom } from "./imports.ts";
import { packages, plugins, root, typescriptBelow } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

/** Tools of the top folder, which every test and every program of the repository may use. */
const tools = new Set(["vitest", "typescript"]);
const own = new Map(packages.map((each) => [each.name, each]));

const imports = (files: readonly string[]): Map<string, string[]> => new Map(files.map((file) => [relative(root, file), packagesImportedBy(file)]));
const sources = ({ folder }: WorkspacePackage): string[] => typescriptBelow(join(folder, "src"));
const others = ({ folder }: WorkspacePackage): string[] => typescriptBelow(folder).filter((file) => !file.startsWith(join(folder, "src")));
const inSource = (each: WorkspacePackage): Set<string> => new Set([...imports(sources(each)).values()].flat());

describe.each(packages)("$name", (each) => {
  const { folder, manifest, name } = each;
  const runtime = new Set([...Object.keys(manifest.dependencies ?? {}), ...Object.keys(manifest.peerDependencies ?? {})]);
  const all = new Set([...runtime, ...Object.keys(manifest.devDependencies ?? {}), name, ...tools]);
  const undeclared = (files: Map<string, string[]>, declared: Set<string>): string[] =>
    [...files].flatMap(([file, names]) => names.filter((used) => !declared.has(used)).map((used) => `${file} imports ${used}`));

  it("declares what its source imports as what it needs to run", () => {
    expect(undeclared(imports(sources(each)), runtime)).toEqual([]);
  });

  it("declares what its tests import", () => {
    expect(undeclared(imports(others(each)), all)).toEqual([]);
  });

  it("imports files by relative paths with their endings, and only its own", () => {
    const wrong = sources(each).flatMap((file) =>
      relativeImportsOf(file)
        .filter((path) => !/\.(ts|json)$/.test(path) || relative(folder, resolve(dirname(file), path)).startsWith(".."))
        .map((path) => `${relative(root, file)} imports ${path}`),
    );
    expect(wrong).toEqual([]);
  });
});

describe("directions", () => {
  const source = (name: string): string[] => {
    const each = own.get(name);
    return each === undefined ? [] : [...inSource(each)].filter((used) => own.has(used));
  };

  it("stix2-ts-types knows nothing of Threat Bus, core only stix2-ts-types", () => {
    expect(source("stix2-ts-types")).toEqual([]);
    expect(source("@threatbus/core")).toEqual(["stix2-ts-types"]);
  });

  it("plugins and testkit know core and types, what they share beside it, and nothing of each other", () => {
    const shared = ["@threatbus/core", "stix2-ts-types", "@threatbus/kafka-client"];
    const wrong = [...plugins, ...packages.filter(({ name }) => name === "@threatbus/testkit")].flatMap((each) =>
      [...inSource(each)].filter((used) => own.has(used) && !shared.includes(used)).map((used) => `${each.name} imports ${used}`),
    );
    expect(wrong).toEqual([]);
  });

  it("the client for programs outside does without core and plugins", () => {
    expect(source("@threatbus/zmq-client")).toEqual(["stix2-ts-types"]);
  });

  it("programs outside join through the client: of core they take its tools, never the bus or what plugs into it", () => {
    const apps = packages.filter(({ path }) => path.startsWith("apps/"));
    const allowed = ["@threatbus/core", "@threatbus/program", "@threatbus/zmq-client", "stix2-ts-types"];
    expect(apps.flatMap((each) => [...inSource(each)].filter((used) => own.has(used) && !allowed.includes(used)).map((used) => `${each.name} imports ${used}`))).toEqual([]);
    const files = apps.flatMap(sources);
    const taken = files.flatMap((file) => namesImportedFrom(file, "@threatbus/core").map((name) => ({ file: relative(root, file), name })));
    expect(taken.filter(({ name }) => ["*", "createBus", "defineApp", "defineBackbone"].includes(name))).toEqual([]);
  });

  it("nothing that is published goes round in circles, tests included", () => {
    const edges = new Map(packages.map(({ name, manifest }) => [
      name,
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).filter((used) => own.has(used)),
    ]));
    expect(circle(edges)).toBeUndefined();
    const withTests = new Map(packages.map(({ name, manifest }) => [
      name,
      Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.devDependencies }).filter((used) => own.has(used)),
    ]));
    expect(circle(withTests)).toBeUndefined();
  });

  it("no files of a package load each other in circles", () => {
    const circles = packages.flatMap((each) => {
      const round = circle(new Map(sources(each).map((file) => [file, relativeLoadsOf(file).map((path) => resolve(dirname(file), path))])));
      return round === undefined ? [] : [round.map((file) => relative(root, file)).join(" → ")];
    });
    expect(circles).toEqual([]);
  });
});

/** A circle among the edges, if there is one. */
function circle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const found = visit(next, [...path, node]);
      if (found !== undefined) return found;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const found = visit(node, []);
    if (found !== undefined) return found;
  }
  return undefined;
}
