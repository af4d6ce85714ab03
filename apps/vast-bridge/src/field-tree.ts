import type { FieldContent } from "./fields.ts";
import type { JsonObject } from "./engine.ts";

export type Visit = (content: FieldContent, text: string, path: string) => void;

interface Node {
  /** As it was given: `dns.answers[].rdata`. */
  readonly path: string;
  readonly contents: FieldContent[];
  readonly children: Map<string, Node>;
  items?: Node;
}

/**
 * Fields to look into, and the walk through an event that visits those it has. A path goes through objects as well as through keys with dots
 * (`{"id.orig_h": …}`); a single value is taken where a list is expected, and the other way round.
 */
export class FieldTree {
  readonly #root: Node = nodeAt("");

  add(content: FieldContent, path: string): void {
    let node = this.#root;
    for (const step of path.split(".")) {
      const list = step.endsWith("[]");
      const name = list ? step.slice(0, -2) : step;
      node = childOf(node, name);
      if (list) node = node.items ??= nodeAt(`${node.path}[]`);
    }
    if (!node.contents.includes(content)) node.contents.push(content);
  }

  visit(event: JsonObject, take: Visit): void {
    walkObject(this.#root, event, take);
  }
}

/** The value at a path without lists; undefined if there is none. */
export function valueAt(event: JsonObject, path: string): unknown {
  if (Object.hasOwn(event, path)) return event[path];
  for (let dot = path.indexOf("."); dot >= 0; dot = path.indexOf(".", dot + 1)) {
    const inner = Object.hasOwn(event, path.slice(0, dot)) ? event[path.slice(0, dot)] : undefined;
    if (isObject(inner)) return valueAt(inner, path.slice(dot + 1));
  }
  return undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// No deeper than the paths are long, whatever the event.
function walk(node: Node, value: unknown, take: Visit): void {
  if (typeof value === "string") {
    for (const content of node.contents) take(content, value, node.path);
    if (node.items !== undefined) walk(node.items, value, take);
  } else if (Array.isArray(value)) {
    const items = node.items ?? node;
    for (const item of value as unknown[]) if (!Array.isArray(item)) walk(items, item, take);
  } else if (isObject(value)) {
    walkObject(node, value, take);
    if (node.items !== undefined) walkObject(node.items, value, take);
  }
}

function walkObject(node: Node, value: JsonObject, take: Visit): void {
  if (node.children.size === 0) return;
  for (const key of Object.keys(value)) {
    const child = node.children.get(key) ?? (key.includes(".") ? descend(node, key) : undefined);
    if (child !== undefined) walk(child, value[key], take);
  }
}

function descend(from: Node, key: string): Node | undefined {
  let node: Node | undefined = from;
  for (const name of key.split(".", 17)) node = node?.children.get(name);
  return node;
}

function nodeAt(path: string): Node {
  return { path, contents: [], children: new Map() };
}

function childOf(node: Node, name: string): Node {
  const there = node.children.get(name);
  if (there !== undefined) return there;
  const made = nodeAt(node.path === "" ? name : `${node.path}.${name}`);
  node.children.set(name, made);
  return made;
}
