import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configJsonSchema, exampleConfig, installedPlugins, loadConfig, type AnyPlugin } from "../src/config.ts";
import { configSchema } from "../src/config/schema.ts";
import { Installation } from "./installation.ts";

let place: Installation;
let plugins: AnyPlugin[];
beforeEach(async () => {
  place = new Installation().usual().install("threatbus-plugin-needy", "needy.js");
  plugins = (await installedPlugins([place.folder])).flatMap(({ loaded }) => loaded?.plugin ?? []);
  expect(plugins).toHaveLength(3);
});
afterEach(() => {
  place.remove();
});

describe("JSON Schema", () => {
  test("covers the top level and the options of plugins", () => {
    const schema = configJsonSchema(plugins);
    expect(schema).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      required: ["plugins"],
      additionalProperties: false,
      properties: {
        logging: { type: ["object", "null"], properties: { filename: { type: "string", default: "threatbus.log" } } },
        plugins: {
          properties: { backbones: { properties: { needy: { anyOf: [{ $ref: "#/$defs/backbone.needy" }, { type: "array", items: { $ref: "#/$defs/backbone.needy" }, minItems: 1 }, { type: "null" }] } } } },
        },
      },
      $defs: {
        "backbone.needy": {
          required: ["host", "port", "password"],
          properties: { port: { maximum: 65_535 }, package: { type: "string" } },
        },
      },
    });
  });

  test("recursive schemas of plugins keep their references", () => {
    const node: z.ZodType = z.strictObject({ name: z.string(), kids: z.array(z.lazy(() => node)).optional() }).meta({ id: "Node" });
    const options = z.strictObject({ root: node });
    const tree = Object.assign(
      () => ({
        kind: "app" as const,
        name: "tree",
        create: () => {
          throw new Error("unused");
        },
      }),
      { kind: "app" as const, contract: 1 as const, options },
    );
    const text = JSON.stringify(configJsonSchema([Object.defineProperty(tree, "name", { value: "tree" })]));
    const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, reference]) => reference);
    expect(references).toContain("#/$defs/app.tree/$defs/Node");
    for (const reference of references) {
      const steps = String(reference).slice(2).split("/");
      const found = steps.reduce<unknown>((value, step) => (value as Record<string, unknown> | undefined)?.[step], JSON.parse(text));
      expect(found, reference).toBeDefined();
    }
  });

  test("a plugin without options takes any", () => {
    expect(configJsonSchema(plugins)).toMatchObject({ $defs: { "backbone.fixture": { type: "object" } } });
  });
});

describe("the example", () => {
  // The fixtures call themselves by one name; a file needs the names they are installed under.
  const named = (): AnyPlugin[] =>
    plugins.map((plugin) => (plugin.name === "needy" ? plugin : rename(plugin, plugin.kind === "app" ? "zmq" : "inmem")));

  test("starts as it is and does what the quick start does", async () => {
    place.write("config.yaml", exampleConfig(named()));
    const config = await loadConfig({ cwd: place.folder, env: {} });
    place.write("none/.keep", "");
    const quick = await loadConfig({ cwd: `${place.folder}/none`, env: {} });
    expect(config.plugins.map(({ name }) => name)).toEqual(["inmem", "zmq"]);
    for (const part of ["logging", "metrics"] as const) expect(config[part]).toEqual(quick[part]);
    expect(config.bus.queue).toEqual(quick.bus.queue);
    const host = { name: "" } as never;
    expect(config.bus.apps[0]?.create(host)).toEqual(quick.bus.apps[0]?.create(host));
  });

  test("names every option, and parses with all of them on", () => {
    const text = exampleConfig(named());
    const all: unknown = parse(text.replaceAll(/^( *)#(?=[^ ])/gm, "$1"));
    expect(all).toMatchObject({ metrics: { host: "127.0.0.1", port: 9_100 } });
    const names = (schema: unknown): string[] =>
      typeof schema === "object" && schema !== null
        ? Object.entries(schema).flatMap(([key, value]) =>
            key === "properties" ? [...Object.keys(value as object), ...names(value)] : names(value),
          )
        : [];
    const options = new Set(names(configJsonSchema(named())));
    for (const reserved of ["package", "instance"]) options.delete(reserved);
    expect(options.size).toBeGreaterThan(20);
    for (const name of options) expect(text).toMatch(new RegExp(`^ *#?${name}:`, "m"));
    expect(all).toMatchObject({
      plugins: {
        backbones: { needy: { host: "change-me", port: 5_672, queue: { durable: true } } },
        apps: { zmq: { api: { ssl: false }, tags: [] } },
      },
    });
  });

  test("marks what is required", () => {
    expect(exampleConfig(named())).toContain("#port: 5672  # required: integer from 1 to 65535");
  });

  test("parses without any plugin", () => {
    expect(parse(exampleConfig([]))).toMatchObject({ plugins: { backbones: {}, apps: {} } });
  });
});

function rename(plugin: AnyPlugin, name: string): AnyPlugin {
  const { kind, contract, options } = plugin;
  const renamed = Object.assign((given?: never) => plugin(given), { kind, contract, ...(options === undefined ? {} : { options }) });
  return Object.defineProperty(renamed, "name", { value: name });
}

describe("docs/configuration.md", () => {
  const text = readFileSync(new URL("../../../docs/configuration.md", import.meta.url), "utf8");
  const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block = ""]) => block);

  test("its examples pass the checks of the top level", () => {
    expect(blocks.length).toBeGreaterThan(0);
    for (const block of blocks) expect(configSchema["~standard"].validate(parse(block))).not.toHaveProperty("issues");
  });

  test("it has a row for every option of the top level, with its default", () => {
    const check = (prefix: string, schema: unknown): void => {
      const { properties, default: value } = schema as { properties?: Record<string, unknown>; default?: unknown };
      if (properties !== undefined)
        for (const [name, inner] of Object.entries(properties)) check(prefix === "" ? name : `${prefix}.${name}`, inner);
      else if (value !== undefined && !prefix.startsWith("plugins"))
        expect(text).toContain(`| \`${prefix}\` | \`${String(value as string)}\` |`);
      else expect(text).toContain(`| \`${prefix}\` |`);
    };
    const root = configJsonSchema([]);
    const { plugins: _, ...properties } = root["properties"] as Record<string, unknown>;
    check("", { properties });
  });
});
