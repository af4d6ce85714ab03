/** What a search has to read: which schemas the node has, which fields those have, and which of them its index can be asked for. */
import type { FieldContent } from "../../fields.ts";
import type { ObservableKind } from "../../observable.ts";
import type { Client } from "./client.ts";
import type { Field, Scope } from "./fields.ts";
import { stepsOf } from "./tql.ts";

/** Path of a field, lists not marked → its type: `string`, `ip`, …, of elements if it is a list. */
export type Schema = ReadonlyMap<string, string>;

const schemaProgram = `fields
where type.kind != "null"
select schema, path, kind=type.kind, lists=type.lists
write_ndjson`;

/** The schemas of all stored events, the newest included. */
export async function schemasOf(client: Client, signal: AbortSignal): Promise<Map<string, Schema>> {
  const schemas = new Map<string, Map<string, string>>();
  for (const line of await client.ask(schemaProgram, { signal })) {
    const { schema, path, kind, lists } = JSON.parse(line) as { schema: string; path: string[]; kind: string; lists: number };
    const fields = schemas.get(schema) ?? new Map<string, string>();
    schemas.set(schema, fields.set(keyOf(path), lists > 0 ? `list<${kind}>` : kind));
  }
  return schemas;
}

export interface Plan {
  /** Schemas whose wanted fields the index can be asked for, and those fields. */
  readonly index: Part & { readonly fields: readonly IndexField[] };
  /** Schemas to be read as a whole, and where to look in their events. */
  readonly read: Part & { readonly scopes: readonly Scope[] };
}

export interface Part {
  readonly schemas: readonly string[];
}

export interface IndexField extends Field {
  /** `ip` or `string`. */
  readonly type: string;
}

/**
 * @param scopes fields in which one of `kinds` can be
 * @param useIndex false: all is read. "only": nothing is read that the index cannot tell
 */
export function planFor(schemas: ReadonlyMap<string, Schema>, scopes: readonly Scope[], kinds: ReadonlySet<ObservableKind>, useIndex: boolean | "only"): Plan {
  const index: string[] = [], read: string[] = [];
  const indexed = new Map<string, IndexField>(), wanted = new Set<string>();
  for (const [name, schema] of schemas) {
    const fields = scopes.flatMap((scope) => scope.fields).filter(({ path }) => schema.has(plain(path)));
    const urls = scopes.flatMap((scope) => scope.urls).filter(({ host, target }) => schema.has(host) && schema.has(target));
    if (fields.length + urls.length === 0) continue;
    const exact = fields.flatMap((field): IndexField[] => {
      const type = schema.get(plain(field.path)) ?? "";
      return isExact(field, type, kinds, useIndex === "only") ? [{ ...field, type }] : [];
    });
    if (useIndex === "only" || (useIndex && exact.length === fields.length && urls.length === 0)) {
      if (exact.length > 0) index.push(name);
      for (const field of exact) indexed.set(`${field.type} ${field.content} ${field.path}`, field);
    } else {
      read.push(name);
      for (const { path } of fields) wanted.add(path);
      for (const { target } of urls) wanted.add(target);
    }
  }
  const left = scopes.map((scope) => ({ ...scope, fields: scope.fields.filter(({ path }) => wanted.has(path)), urls: scope.urls.filter(({ target }) => wanted.has(target)) }));
  return { index: { schemas: index, fields: [...indexed.values()] }, read: { schemas: read, scopes: left.filter(({ fields, urls }) => fields.length + urls.length > 0) } };
}

/** Contents whose values tools write in few ways. */
const uniform: ReadonlySet<FieldContent> = new Set(["file_hash", "certificate", "ja3", "ja3s", "ja4"]);

/** Whether the index finds all that a search of every event would find, or, if that is `enough`, anything. */
function isExact({ content, path }: Field, type: string, kinds: ReadonlySet<ObservableKind>, enough: boolean): boolean {
  if (path.includes("[]")) return false;
  if (content === "ip") return type === "ip" || (enough && type === "string");
  return type === "string" && (uniform.has(content) || (enough && content === "host" && kinds.has("domain")));
}

function plain(path: string): string {
  return path.replaceAll("[]", "");
}

function keyOf(path: readonly string[]): string {
  return path.join(".");
}

/** A field of an event, for the index: without the `?` that would keep the question from reaching it. */
export function indexedField(path: string): string {
  return `this${stepsOf(path).map(({ name }) => `[${JSON.stringify(name)}]`).join("")}`;
}
