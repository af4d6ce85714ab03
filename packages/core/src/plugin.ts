import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { App, AppPlugin, Backbone, BackbonePlugin, Configured, Host, Plugin, PluginKind } from "./contract.ts";
import { ThreatbusError } from "./errors.ts";
import type { Issue } from "./errors.ts";

/** Revision of the contract this core speaks. */
export const contractRevision = 1;

export interface Definition<Schema extends StandardSchemaV1, Instance> {
  /** The key of the configuration file: lower-case letters, digits and dashes. */
  readonly name: string;
  /** Checks the options and fills in defaults. Leave out if there are none. */
  readonly options?: Schema;
  /** Makes the instance; connects nothing yet. */
  create(options: StandardSchemaV1.InferOutput<Schema>, host: Host): Instance;
}

/** Makes a backbone plugin: the default export of its package. */
export function defineBackbone<Schema extends StandardSchemaV1 = StandardSchemaV1<Record<never, never>>>(
  definition: Definition<Schema, Backbone>,
): BackbonePlugin<StandardSchemaV1.InferInput<Schema>> {
  return define("backbone", definition);
}

/** Makes an app plugin: the default export of its package. */
export function defineApp<Schema extends StandardSchemaV1 = StandardSchemaV1<Record<never, never>>>(
  definition: Definition<Schema, App>,
): AppPlugin<StandardSchemaV1.InferInput<Schema>> {
  return define("app", definition);
}

function define<Kind extends PluginKind, Schema extends StandardSchemaV1>(
  kind: Kind,
  definition: Definition<Schema, Kind extends "backbone" ? Backbone : App>,
): Plugin<Kind, StandardSchemaV1.InferInput<Schema>> {
  const { name, options: schema } = definition;
  const configure = (given?: StandardSchemaV1.InferInput<Schema>): Configured<Kind> => {
    const options = checkOptions(name, schema, given ?? {});
    return { kind, name, create: (host) => definition.create(options, host) };
  };
  const plugin = Object.assign(configure, { kind, contract: contractRevision, ...(schema === undefined ? {} : { options: schema }) } as const);
  // A function has a name already, which assigning cannot change.
  return Object.defineProperty(plugin, "name", { value: name, enumerable: true });
}

/** @throws ThreatbusError `OPTIONS_INVALID` with all problems */
function checkOptions<Schema extends StandardSchemaV1>(plugin: string, schema: Schema | undefined, given: unknown): StandardSchemaV1.InferOutput<Schema> {
  if (schema === undefined) {
    const keys = typeof given === "object" && given !== null ? Object.keys(given) : [String(given)];
    if (keys.length > 0) throw invalid(plugin, [{ message: "takes no options", path: keys.slice(0, 1) }]);
    return given;
  }
  const result = schema["~standard"].validate(given);
  if (result instanceof Promise) throw invalid(plugin, [{ message: "the schema of a plugin's options must check at once, not through a promise" }]);
  if (result.issues !== undefined) throw invalid(plugin, issuesOf(result.issues));
  return result.value;
}

/** The issues of a Standard Schema, with plain paths. */
export function issuesOf(issues: readonly StandardSchemaV1.Issue[]): Issue[] {
  return issues.map(({ message, path }) => ({ message, path: (path ?? []).map((step) => (typeof step === "object" ? step.key : step)) }));
}

function invalid(plugin: string, issues: readonly Issue[]): ThreatbusError {
  const lines = issues.map(({ path = [], message }) => `  ${[plugin, ...path.map(String)].join(".")}: ${message}`);
  return new ThreatbusError("OPTIONS_INVALID", `the options of ${plugin} have problems\n${lines.join("\n")}`, { plugin, issues });
}
