/** The options of plugins, read from the schemas they check with. */
import { join } from "node:path";
import { configJsonSchema, jsonSchemaOf } from "@threatbus/core/config";
import type { AnyPlugin, JsonSchema } from "@threatbus/core/config";
import { packages, plugins } from "./workspace.ts";
import type { WorkspacePackage } from "./workspace.ts";

export interface FleetPlugin extends WorkspacePackage {
  readonly plugin: AnyPlugin;
}

export interface Option {
  /** `zmq.port`, `filter[].types` */
  readonly path: string;
  /** Nothing: it has none. */
  readonly default?: unknown;
}

/** Every plugin of the workspace: the default export of its source. */
export const fleet: readonly FleetPlugin[] = await Promise.all(
  plugins.map(async (each) => {
    const module = (await import(join(each.folder, "src", "index.ts"))) as { default: AnyPlugin };
    return { ...each, plugin: module.default };
  }),
);

export function optionsOf(plugin: AnyPlugin): Option[] {
  const { $defs } = configJsonSchema([plugin]) as { $defs: Record<string, JsonSchema> };
  const schema = $defs[`${plugin.kind}.${plugin.name}`];
  return schema === undefined ? [] : leaves(schema, "").filter(({ path }) => path !== "package" && path !== "instance");
}

/** The options of the file itself. */
export function optionsOfFile(): Option[] {
  const { properties } = configJsonSchema([]) as { properties: Record<string, JsonSchema> };
  return Object.entries(properties).flatMap(([name, schema]) => (name === "plugins" ? [] : leaves(schema, name)));
}

export interface FleetApp extends WorkspacePackage {
  /** Of its configuration file: the `schema` that src/options.ts exports. */
  readonly schema: Parameters<typeof jsonSchemaOf>[0];
}

/** Programs that join a bus and have a configuration file of their own. */
export const apps: readonly FleetApp[] = await Promise.all(
  packages
    .filter(({ path }) => path.startsWith("apps/"))
    .map(async (each) => ({ ...each, schema: ((await import(join(each.folder, "src", "options.ts"))) as { schema: FleetApp["schema"] }).schema })),
);

export function optionsOfApp({ schema }: FleetApp): Option[] {
  return leaves(jsonSchemaOf(schema) ?? {}, "");
}

function leaves(schema: JsonSchema, path: string): Option[] {
  const { properties, items } = schema as { properties?: Record<string, JsonSchema>; items?: JsonSchema };
  const here = "default" in schema ? { path, default: schema["default"] } : { path };
  if (properties !== undefined) return Object.entries(properties).flatMap(([name, inner]) => leaves(inner, path === "" ? name : `${path}.${name}`));
  if (items?.["properties"] !== undefined) return [here, ...leaves(items, `${path}[]`)];
  return path === "" ? [] : [here];
}
