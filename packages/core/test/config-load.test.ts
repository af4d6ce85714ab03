import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { installedPackages, installedPlugins, loadConfig, loadPlugin, type LoadedPlugin, type PluginRequest } from "../src/config.ts";
import { failure, Installation } from "./installation.ts";

let place: Installation;
beforeEach(() => {
  place = new Installation().usual();
});
afterEach(() => {
  place.remove();
});

function load(name: string, request: Partial<PluginRequest> = {}): Promise<LoadedPlugin> {
  return loadPlugin({ kind: "app", name, from: [place.folder], ...request });
}

describe("where plugins come from", () => {
  test("@threatbus/<name> comes before threatbus-plugin-<name>", async () => {
    place.install("threatbus-plugin-zmq", "app.js").install("threatbus-plugin-other", "app.js");
    expect((await load("zmq")).package).toBe("@threatbus/zmq");
    const other = await load("other");
    expect(other.package).toBe("threatbus-plugin-other");
    expect(other.file).toBe(`${place.folder}/node_modules/threatbus-plugin-other/index.js`);
  });

  test("the first folder comes before the fallback, and folders above count", async () => {
    const program = new Installation().usual().install("@threatbus/only-here", "app.js");
    try {
      const from = [`${place.folder}/a/b`, program.folder];
      place.write("a/b/config.yaml", "");
      expect((await load("zmq", { from })).file).toContain(place.folder);
      expect((await load("only-here", { from })).file).toContain(program.folder);
    } finally {
      program.remove();
    }
  });

  test("paths are relative to the first folder only", async () => {
    place.write("sub/own.mjs", "export { default } from '@threatbus/zmq';");
    expect((await load("own", { package: "./sub/own.mjs" })).file).toBe(`${place.folder}/sub/own.mjs`);
    const error = await failure(load("own", { package: "./own.mjs", from: [place.folder, `${place.folder}/sub`] }));
    expect(error.code).toBe("PLUGIN_NOT_INSTALLED");
  });
});

describe("broken plugins", () => {
  test.each([
    ["missing-dependency.js", "PLUGIN_LOAD_FAILED", "a-library-that-is-not-installed"],
    ["throws.js", "PLUGIN_LOAD_FAILED", "the fixture throws on import"],
    ["throws-nothing.js", "PLUGIN_LOAD_FAILED", "failed while loading"],
    ["no-default.js", "PLUGIN_WRONG_CONTRACT", "has no default export"],
    ["not-a-plugin.js", "PLUGIN_WRONG_CONTRACT", "is no plugin"],
    ["other-contract.js", "PLUGIN_WRONG_CONTRACT", "is for contract 2; this Threat Bus speaks contract 1"],
    ["backbone.js", "PLUGIN_WRONG_CONTRACT", "is a backbone, not an app"],
  ])("%s: %s", async (fixture, code, words) => {
    place.install("@threatbus/broken", fixture);
    const error = await failure(load("broken"));
    expect(error.code).toBe(code);
    expect(error.message).toContain(words);
    expect(error.plugin).toBe("broken");
  });

  test("one that waits at its top level for ever", async () => {
    place.install("@threatbus/broken", "hangs.js");
    const error = await failure(load("broken", { importTimeout: 50 }));
    expect(error.code).toBe("PLUGIN_LOAD_FAILED");
    expect(error.message).toContain("does not finish loading");
  });

  test("one that is not JavaScript", async () => {
    place.installText("@threatbus/broken", "export default {{{");
    expect((await failure(load("broken"))).code).toBe("PLUGIN_LOAD_FAILED");
  });

  test("an empty folder, and a manifest that points nowhere", async () => {
    place
      .write("node_modules/@threatbus/empty/.keep", "")
      .write("node_modules/@threatbus/unbuilt/package.json", '{"type":"module","exports":{".":"./dist/index.js"}}');
    for (const name of ["empty", "unbuilt"]) {
      const error = await failure(load(name));
      expect(error.code).toBe("PLUGIN_LOAD_FAILED");
      expect(error.message).toContain(`node_modules/@threatbus/${name}`);
    }
  });

  test("one that is not there, with the command that installs it", async () => {
    const error = await failure(load("absent"));
    expect(error.code).toBe("PLUGIN_NOT_INSTALLED");
    expect(error.hint).toContain("npm install @threatbus/absent");
    expect((await failure(load("absent", { package: "@me/mine" }))).hint).toContain("npm install @me/mine");
  });

  test.each(["../x", "A", "", "a/b", "__proto__", "-x", "x".repeat(101)])("the name %j is refused", async (name) => {
    expect((await failure(load(name))).code).toBe("CONFIG_INVALID");
  });

  test.each(["fs", "node:fs", "/x", "..", "@a", "a/b", "https://x", "A b"])("the package %j is refused", async (name) => {
    expect((await failure(load("x", { package: name }))).code).toBe("CONFIG_INVALID");
  });

  test("all are told at once, with the code they share", async () => {
    place.write("config.yaml", "plugins: {backbones: {inmem: }, apps: {zqm: , absent: {}}}");
    const error = await failure(loadConfig({ cwd: place.folder, env: {} }));
    expect(error.code).toBe("PLUGIN_NOT_INSTALLED");
    expect(error.issues).toHaveLength(2);
    expect(error.message).toContain("config.yaml:1:40  plugins.apps.zqm: @threatbus/zqm or threatbus-plugin-zqm is not installed");
    expect(error.message).toContain('did you mean "zmq"?');
    place.install("@threatbus/absent", "throws.js");
    const mixed = await failure(loadConfig({ cwd: place.folder, env: {} }));
    expect(mixed.code).toBe("CONFIG_INVALID");
    expect(mixed.issues).toMatchObject([{ code: "PLUGIN_NOT_INSTALLED" }, { code: "PLUGIN_LOAD_FAILED" }]);
  });

  test("one that is installed and not configured is not loaded", async () => {
    place.install("@threatbus/bad", "throws.js").write("config.yaml", "plugins: {backbones: {inmem: }}");
    const config = await loadConfig({ cwd: place.folder, env: {} });
    expect(config.plugins.map(({ name }) => name)).toEqual(["inmem"]);
  });
});

describe("installed", () => {
  test("packages are listed up the tree without importing them", async () => {
    place.install("threatbus-plugin-extra", "throws.js").install("@threatbus/core", "throws.js").install("unrelated", "app.js");
    const packages = await installedPackages([`${place.folder}/deep/down`, place.folder]);
    expect(packages.map(({ package: name }) => name)).toEqual(["@threatbus/inmem", "@threatbus/zmq", "threatbus-plugin-extra"]);
    expect(packages[2]).toMatchObject({ name: "extra", version: "1.2.3" });
  });

  test("plugins are imported and judged", async () => {
    place.install("threatbus-plugin-extra", "throws.js");
    const plugins = await installedPlugins([place.folder]);
    expect(plugins.map(({ name, loaded, error }) => [name, loaded?.kind ?? error?.code])).toEqual([
      ["inmem", "backbone"],
      ["zmq", "app"],
      ["extra", "PLUGIN_LOAD_FAILED"],
    ]);
  });
});
