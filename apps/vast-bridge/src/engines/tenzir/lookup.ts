/** The program that reads events once and looks their fields up in tables: live, and for the past when there is much to look for. */
import type { FieldContent } from "../../fields.ts";
import type { Scope } from "./fields.ts";
import type { Lookups, TableKind } from "./keys.ts";
import { lookupsOf, splitUrlLookups } from "./keys.ts";
import type { Spelling } from "./tql.ts";
import { fieldOf, quote, stepsOf } from "./tql.ts";

export interface LookupProgram {
  /** Operators that give the events. */
  readonly source: readonly string[];
  readonly scopes: readonly Scope[];
  /** The keys by which the events of known tools are told apart. */
  readonly marks: readonly string[];
  readonly subdomains: boolean;
  /** Names of the tables. One that is missing has no entries. */
  readonly tables: Readonly<Partial<Record<TableKind, string>>>;
  readonly spelling: Spelling;
  /** Operators on the results, records of `schema` and `event`. */
  readonly tail: readonly string[];
}

/** Elements of a list that are looked up; an event with a longer one goes to the matcher unseen. */
const elements = 4;

/** Fields as a tree, so that what an event does not have is not looked into, one by one. */
interface Branch {
  readonly contents: FieldContent[];
  readonly children: Map<string, Branch>;
  items?: Branch;
}

export function lookupProgram({ source, scopes, marks, subdomains, tables, spelling, tail }: LookupProgram): string {
  let count = 0;

  const lines = ({ lookups, beyond }: Lookups): Block => {
    const found = lookups.flatMap(({ table, key }) => {
      const name = tables[table];
      return name === undefined ? [] : [{ into: `m${count++}`, name, key }];
    });
    // Without a table of their kind there is nothing beyond, either.
    const hits = [...found.map(({ into }) => `${into} != null`), ...(beyond === undefined || found.length === 0 ? [] : [beyond])];
    return { operators: found.map(({ into, name, key }) => `${spelling("enrich")} ${quote(name)}, key=${key}, into=${into}`), hits };
  };

  const inside = (branch: Branch, value: string): Block => {
    const own = branch.contents.map((content) => lines(lookupsOf(content, value, subdomains)));
    const children = [...branch.children].map(([name, child]) => within(fieldOf(value, name), child));
    return joined([...own, ...children, ...(branch.items === undefined ? [] : [list(branch.items, value)])]);
  };
  const within = (value: string, branch: Branch): Block => guarded(`${value} != null`, inside(branch, value));
  const list = (items: Branch, value: string): Block => {
    const each = Array.from({ length: elements }, (_, index) => within(`${value}[${index}]?`, items));
    const all = joined(each);
    return isEmpty(all) ? all : { operators: all.operators, hits: [...all.hits, `${value}.length() > ${elements}`] };
  };

  const unmarked = marks.map((mark) => `${fieldOf("event", mark)} == null`).join(" and ");
  const blocks = scopes.map(({ mark, fields, urls }) => {
    const block = joined([
      inside(treeOf(fields), "event"),
      ...urls.map(({ host, target }) => {
        const [hostValue, targetValue] = [valueOf(host), valueOf(target)];
        return guarded(`${targetValue} != null`, lines(splitUrlLookups(hostValue, targetValue)));
      }),
    ]);
    return mark === undefined ? closed(block) : closed(guarded(`${fieldOf("event", mark)} != null or (${unmarked})`, block));
  });
  return [...source, "this = {schema: @name, event: this, hit: false}", ...joined(blocks).operators, "where hit", ...tail].join("\n");
}

/** Operators, and conditions on what they leave behind, at least one of which holds for an event that is wanted. */
interface Block {
  readonly operators: readonly string[];
  readonly hits: readonly string[];
}

function joined(blocks: readonly Block[]): Block {
  return { operators: blocks.flatMap(({ operators }) => operators), hits: blocks.flatMap(({ hits }) => hits) };
}

function isEmpty({ operators, hits }: Block): boolean {
  return operators.length + hits.length === 0;
}

/** With its conditions noted. */
function closed(block: Block): Block {
  return block.hits.length === 0 ? block : { operators: [...block.operators, `hit = hit or ${block.hits.join(" or ")}`], hits: [] };
}

/** Done for some events only. A single lookup is as cheap as the question. */
function guarded(condition: string, block: Block): Block {
  if (block.operators.length + block.hits.length <= 2) return block;
  return { operators: [`if ${condition} {`, ...closed(block).operators.map((line) => `  ${line}`), "}"], hits: [] };
}

/** A field without lists on its way. */
function valueOf(path: string): string {
  return stepsOf(path).reduce((value, { name }) => fieldOf(value, name), "event");
}

function treeOf(fields: Scope["fields"]): Branch {
  const root = branch();
  for (const { content, path } of fields) {
    let at = root;
    for (const { name, list } of stepsOf(path)) {
      let child = at.children.get(name);
      if (child === undefined) at.children.set(name, (child = branch()));
      at = list ? (child.items ??= branch()) : child;
    }
    if (!at.contents.includes(content)) at.contents.push(content);
  }
  return root;
}

function branch(): Branch {
  return { contents: [], children: new Map() };
}
