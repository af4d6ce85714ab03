/** The program that asks the node's index, for a few observables at a time: a filter that is answered next to the events. */
import { parseAddress, parseBlock } from "../../address.ts";
import type { Observable } from "../../observable.ts";
import type { IndexField } from "./plan.ts";
import { indexedField } from "./plan.ts";
import { listFrom, typedListFrom } from "./tql.ts";

/** Files of the values, JSON arrays of strings. */
export interface ValueFiles {
  readonly addresses: string;
  readonly blocks: string;
  readonly texts: string;
}

export interface Values {
  readonly addresses: readonly string[];
  readonly blocks: readonly string[];
  readonly texts: readonly string[];
}

/** As events may write them. */
export function valuesOf(observables: readonly Observable[]): Values {
  const of = (kind: Observable["kind"], read: (text: string) => unknown): string[] => observables.filter((each) => each.kind === kind && read(each.value) !== undefined).map(({ value }) => value);
  const texts = new Set<string>();
  for (const { kind, value } of observables) {
    if (kind === "cidr" || /\p{Surrogate}/u.test(value)) continue;
    const plain = [value, value.toUpperCase()];
    const pairs = kind === "certificate" ? plain.map((each) => (each.match(/../g) ?? []).join(":")) : [];
    for (const text of [...plain, ...pairs]) texts.add(text);
  }
  return { addresses: of("ip", parseAddress), blocks: of("cidr", parseBlock), texts: [...texts] };
}

/** Operators that give the events; undefined if no field can hold any of the values. @param filters conditions on schema and time */
export function indexSearch(fields: readonly IndexField[], { addresses, blocks, texts }: Values, files: ValueFiles, filters: readonly string[]): string[] | undefined {
  const conditions = fields.flatMap(({ path, type }) => {
    const field = indexedField(path);
    if (type === "string") return texts.length > 0 ? [`${field} in $texts`] : [];
    // One by one: a list of blocks matches nothing.
    return [...(addresses.length > 0 ? [`${field} in $addresses`] : []), ...blocks.map((_, index) => `${field} in $blocks[${index}]`)];
  });
  if (conditions.length === 0) return undefined;
  const lets = [
    `let $addresses = ${typedListFrom(files.addresses)}`,
    `let $blocks = ${typedListFrom(files.blocks)}`,
    `let $texts = ${listFrom(files.texts)}`,
  ];
  return [...lets, "export", `where ${[...filters, `(${conditions.join(" or ")})`].join(" and ")}`];
}
