import type { StandardJSONSchemaV1, StandardSchemaV1 } from "@standard-schema/spec";
import type { Plugin, PluginKind } from "../contract.ts";
import { configSchema } from "./schema.ts";
import { isSection, type SettingPath } from "./settings.ts";

/** A JSON Schema, draft 2020-12. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Any plugin, whatever its options. */
export type AnyPlugin = Plugin<PluginKind, never>;

/** Where plugins of a kind stand in the file. */
export const sections: Readonly<Record<PluginKind, "backbones" | "apps">> = { backbone: "backbones", app: "apps" };

const packageKey: JsonSchema = {
  type: "string",
  description:
    "The npm package, or the path (`./…`, from this file), of the plugin. Default: @threatbus/<name>, else threatbus-plugin-<name>.",
};

const instanceKey: JsonSchema = { type: "string", description: "What this one is called in logs and metrics. Default: its key, in a list from the second on with -2, -3 and so on." };

/** Keys of a plugin's section that are none of its options. */
export const reservedKeys: readonly string[] = ["package", "instance"];

/** The JSON Schema of a Standard Schema that can tell it (zod 4 can), of what one may write, not of what the program gets. */
export function jsonSchemaOf(schema: StandardSchemaV1<unknown, unknown> | undefined): JsonSchema | undefined {
  const standard: Partial<StandardJSONSchemaV1.Props> | undefined = schema?.["~standard"];
  try {
    const made: unknown = standard?.jsonSchema?.input({ target: "draft-2020-12", libraryOptions: { unrepresentable: "any" } });
    return isSection(made) ? made : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The JSON Schema (draft 2020-12) of the whole configuration file, the options of `plugins` included, for editors to complete
 * and check with. Plugins not named here may still be configured; their options go unchecked.
 */
export function configJsonSchema(plugins: readonly AnyPlugin[]): JsonSchema {
  const root = structuredClone(jsonSchemaOf(configSchema)) ?? {};
  const $defs: Record<string, unknown> = {};
  const kinds: Record<"backbones" | "apps", Record<string, unknown>> = { backbones: {}, apps: {} };
  for (const plugin of plugins) {
    const id = `${plugin.kind}.${plugin.name}`;
    const { $schema: _, ...options } = jsonSchemaOf(plugin.options) ?? { type: "object" };
    $defs[id] = withReserved(moveReferences(options, `#/$defs/${id}`) as JsonSchema);
    const one: JsonSchema = { $ref: `#/$defs/${id}` };
    kinds[sections[plugin.kind]][plugin.name] = { anyOf: [one, { type: "array", items: one, minItems: 1 }, { type: "null" }] };
  }
  const properties = { ...(root["properties"] as Record<string, JsonSchema>) };
  const pluginsSchema = properties["plugins"] ?? {};
  const lists = pluginsSchema["properties"] as Record<"backbones" | "apps", JsonSchema>;
  const named = (kind: "backbones" | "apps"): JsonSchema => ({
    ...lists[kind],
    type: ["object", "null"],
    properties: kinds[kind],
    additionalProperties: { type: ["object", "array", "null"], properties: { package: packageKey } },
  });
  for (const [name, schema] of Object.entries(properties))
    if (schema["type"] === "object") properties[name] = { ...schema, type: ["object", "null"] };
  properties["plugins"] = { ...pluginsSchema, properties: { backbones: named("backbones"), apps: named("apps") } };
  return { ...root, title: "Threat Bus configuration", properties, $defs };
}

function withReserved(schema: JsonSchema): JsonSchema {
  return isSection(schema["properties"]) ? { ...schema, properties: { ...schema["properties"], package: packageKey, instance: instanceKey } } : schema;
}

/** Local references of an embedded schema begin at `root` instead of `#`. */
function moveReferences(value: unknown, root: string): unknown {
  if (Array.isArray(value)) return value.map((inner) => moveReferences(inner, root));
  if (!isSection(value)) return value;
  const moved = Object.entries(value).map(([name, inner]): [string, unknown] => {
    const local = name === "$ref" && typeof inner === "string" && inner.startsWith("#");
    return [name, local ? root + inner.slice(1) : moveReferences(inner, root)];
  });
  return Object.fromEntries(moved);
}

/** The schemas that apply at `path`: several where alternatives are allowed. */
export function schemasAt(root: JsonSchema, path: SettingPath): JsonSchema[] {
  let here = alternatives(root, root);
  for (const step of path) here = here.flatMap((schema) => inside(schema, String(step))).flatMap((schema) => alternatives(schema, root));
  return here;
}

/** Names known under `path`. */
export function namesAt(root: JsonSchema, path: SettingPath): string[] {
  return schemasAt(root, path).flatMap((schema) => (isSection(schema["properties"]) ? Object.keys(schema["properties"]) : []));
}

/** The schema itself, or what it refers to or chooses from. */
export function alternatives(schema: JsonSchema, root: JsonSchema, depth: number = 0): JsonSchema[] {
  if (depth > 16) return [];
  const { $ref, anyOf, oneOf, allOf } = schema;
  if (typeof $ref === "string") {
    const target = $ref === "#" ? root : lookUp(root, $ref.replace(/^#\//, "").split("/"));
    return target === undefined ? [] : alternatives(target, root, depth + 1);
  }
  const choices = [anyOf, oneOf, allOf].flatMap((list) => (Array.isArray(list) ? list.filter(isSection) : []));
  return choices.length === 0 ? [schema] : choices.flatMap((choice) => alternatives(choice, root, depth + 1));
}

function lookUp(root: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  let value: unknown = root;
  for (const step of path) value = isSection(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  return isSection(value) ? value : undefined;
}

function inside(schema: JsonSchema, step: string): JsonSchema[] {
  const { properties, additionalProperties, items } = schema;
  const named = isSection(properties) && Object.hasOwn(properties, step) ? properties[step] : undefined;
  return [named ?? additionalProperties ?? items].filter(isSection);
}

/** In words what a value may be: `integer from 1 to 65535`, `one of "a", "b"`, `text or list`. */
export function describeType(schemas: readonly JsonSchema[]): string | undefined {
  const words = new Set(schemas.flatMap(typeWords));
  return words.size === 0 ? undefined : [...words].join(" or ");
}

function typeWords(schema: JsonSchema): string[] {
  if (Array.isArray(schema["enum"])) return [`one of ${schema["enum"].map((value) => JSON.stringify(value)).join(", ")}`];
  if ("const" in schema) return [JSON.stringify(schema["const"])];
  const types = Array.isArray(schema["type"]) ? schema["type"] : [schema["type"]];
  return types.flatMap((type) =>
    typeof type === "string" ? [typeWord(type) + (type === "integer" || type === "number" ? bounds(schema) : "")] : [],
  );
}

function typeWord(type: string): string {
  const known = new Map([
    ["string", "text"],
    ["object", "section"],
    ["array", "list"],
    ["boolean", "true or false"],
  ]);
  return known.get(type) ?? type;
}

function bounds({ minimum, maximum, exclusiveMinimum }: JsonSchema): string {
  const low = typeof minimum === "number" && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = typeof maximum === "number" && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return ` of at least ${low}`;
  if (typeof exclusiveMinimum === "number") return ` above ${exclusiveMinimum}`;
  return high === undefined ? "" : ` of at most ${high}`;
}
