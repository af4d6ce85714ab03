import { stringify } from "yaml";
import { alternatives, configJsonSchema, describeType, reservedKeys, sections, type AnyPlugin, type JsonSchema } from "./json-schema.ts";
import { isSection } from "./settings.ts";

/** Columns a description may take. */
const width = 120;

/**
 * A commented configuration file with every option, its default and its description. It starts as it is: what needs the user
 * (plugins with required options, optional sections) is commented out, `#` right before the key; so are the backbones after the
 * first that needs nothing.
 */
export function exampleConfig(plugins: readonly AnyPlugin[]): string {
  const root = configJsonSchema(plugins);
  const top = properties(root);
  const lines = ["# Threat Bus configuration. Lines with # and a space explain; to use an option, take away the # right before it.", ""];
  for (const [name, schema] of top) {
    if (name === "plugins") continue;
    lines.push(...option(name, schema, { root, indent: 0, off: false, required: required(root).has(name) }), "");
  }
  lines.push("# Plugins to load. What is installed and not named here is not loaded.", "plugins:");
  const kinds = new Map(top.flatMap(([name, schema]) => (name === "plugins" ? properties(schema) : [])));
  for (const kind of ["backbone", "app"] as const) {
    const listed = plugins.filter((plugin) => plugin.kind === kind);
    const running = listed.filter(startsAlone).slice(0, kind === "backbone" ? 1 : undefined);
    lines.push(...comment(description(kinds.get(sections[kind]) ?? {}), 2), `  ${sections[kind]}:${running.length === 0 ? " {}" : ""}`);
    // An empty section in braces cannot go on below.
    if (running.length === 0 && listed.length > 0) lines[lines.length - 1] = `  ${sections[kind]}:`;
    for (const plugin of listed) {
      const schema = properties(kinds.get(sections[kind]) ?? {}).find(([name]) => name === plugin.name)?.[1] ?? {};
      lines.push(...option(plugin.name, schema, { root, indent: 4, off: !running.includes(plugin), required: false }));
    }
  }
  return `${lines.join("\n")}\n`;
}

interface Place {
  readonly root: JsonSchema;
  readonly indent: number;
  /** Commented out. */
  readonly off: boolean;
  readonly required: boolean;
}

function option(name: string, schema: JsonSchema, place: Place): string[] {
  const { root, indent } = place;
  const choices = alternatives(schema, root).filter((choice) => choice["type"] !== "null");
  const section = choices.find((choice) => properties(choice).length > 0);
  const hasDefault = "default" in schema;
  const off = place.off || (!hasDefault && !place.required && indent !== 4);
  const start = `${" ".repeat(indent)}${off ? "#" : ""}${stringify(name).trimEnd()}:`;
  const words = comment(description(schema) || description(choices[0] ?? {}), indent);
  if (section === undefined || Array.isArray(schema["default"])) {
    const value = hasDefault ? schema["default"] : sample(schema, choices);
    const note = place.required && !hasDefault ? `  # required: ${describeType(choices) ?? "a value"}` : "";
    return [
      ...words,
      ...entries(choices, indent),
      `${start} ${stringify(value, { collectionStyle: "flow", lineWidth: 0, blockQuote: false }).trimEnd()}${note}`,
    ];
  }
  const inner = properties(section).filter(([key]) => !reservedKeys.includes(key));
  if (inner.length === 0) return [...words, `${start} {}`];
  const needed = required(section);
  // A section with nothing in it but comments would be no section.
  const empty = !inner.some(([key, value]) => "default" in value || needed.has(key));
  return [
    ...words,
    empty && !off ? start.replace(/^( *)/, "$1#") : start,
    ...inner.flatMap(([key, value]) => option(key, value, { root, indent: indent + 2, off: off || empty, required: needed.has(key) })),
  ];
}

/** What the elements of a list of sections may have. */
function entries(choices: readonly JsonSchema[], indent: number): string[] {
  const inner = choices.flatMap(({ items }) => (isSection(items) ? properties(items) : []));
  return inner.flatMap(([name, schema]) => comment(`- ${name}: ${description(schema)}`, indent));
}

/** Whether a plugin runs without options. */
function startsAlone(plugin: AnyPlugin): boolean {
  const result = plugin.options?.["~standard"].validate({});
  return result === undefined || (!(result instanceof Promise) && result.issues === undefined);
}

/** Something of the right type, for an option without a default. */
function sample(schema: JsonSchema, choices: readonly JsonSchema[]): unknown {
  const examples = schema["examples"] ?? choices[0]?.["examples"];
  if (Array.isArray(examples) && examples.length > 0) return examples[0];
  const [first = {}] = choices;
  if (Array.isArray(first["enum"])) return first["enum"][0];
  const types = Array.isArray(first["type"]) ? first["type"] : [first["type"]];
  if (types.includes("string")) return "change-me";
  if (types.includes("boolean")) return false;
  if (types.includes("integer") || types.includes("number"))
    return typeof first["minimum"] === "number" ? Math.max(0, first["minimum"]) : 0;
  return types.includes("array") ? [] : {};
}

function properties(schema: JsonSchema): [string, JsonSchema][] {
  const listed = schema["properties"];
  return isSection(listed) ? Object.entries(listed).filter((entry): entry is [string, JsonSchema] => isSection(entry[1])) : [];
}

function required(schema: JsonSchema): ReadonlySet<unknown> {
  return new Set(Array.isArray(schema["required"]) ? schema["required"] : []);
}

function description(schema: JsonSchema): string {
  return typeof schema["description"] === "string" ? schema["description"] : "";
}

function comment(text: string, indent: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width - indent - 3) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map((line) => `${" ".repeat(indent)}# ${line}`);
}
