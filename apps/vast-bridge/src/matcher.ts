import type { JsonObject } from "./engine.ts";
import type { FieldOptions } from "./field-options.ts";
import { FieldTree, valueAt } from "./field-tree.ts";
import type { FieldContent, Preset, PresetName, SplitUrl } from "./fields.ts";
import { fieldContents, presets } from "./fields.ts";
import type { Observable } from "./observable.ts";
import { keyOf } from "./observable.ts";
import { Watchlist } from "./watchlist.ts";

/** An observable found in an event. */
export interface Match {
  readonly observable: Observable;
  /** As presets and options name it: `dns.answers[].rdata`. */
  readonly field: string;
}

/** Where to look in the events of one tool. */
interface Scope {
  readonly mark?: string;
  readonly tree: FieldTree;
  readonly urls: readonly SplitUrl[];
}

/** Finds observables in events: in the fields of the tool that wrote it, known by its mark, or of all tools if it has none. */
export class Matcher {
  readonly watchlist: Watchlist;
  readonly #scopes: readonly Scope[];
  readonly #custom: Scope;

  constructor(options: FieldOptions) {
    this.watchlist = new Watchlist(options.subdomains);
    this.#scopes = options.presets.map((name) => ({ mark: presets[name].mark, ...scopeOf(presets[name]) }));
    this.#custom = scopeOf({ fields: options.fields, urls: [] });
  }

  /** Each observable once, whatever the number of fields it is in. */
  match(event: JsonObject): Match[] {
    const found = new Map<string, Match>();
    const take = (field: string, observables: readonly Observable[]): void => {
      for (const observable of observables) {
        const key = keyOf(observable);
        if (!found.has(key)) found.set(key, { observable, field });
      }
    };
    const marked = this.#scopes.filter(({ mark }) => mark !== undefined && Object.hasOwn(event, mark));
    for (const { tree, urls } of [...(marked.length > 0 ? marked : this.#scopes), this.#custom]) {
      tree.visit(event, (content, text, path) => take(path, this.watchlist.find(content, text)));
      for (const url of urls) {
        const [host, target] = [valueAt(event, url.host), valueAt(event, url.target)];
        if (typeof host === "string" && typeof target === "string") take(url.target, this.watchlist.findSplitUrl(host, target, valueAt(event, url.port)));
      }
    }
    return [...found.values()];
  }
}

/** The preset of the tool that wrote the event; undefined if none of them did. */
export function presetOf(event: JsonObject, names: readonly PresetName[]): PresetName | undefined {
  return names.find((name) => Object.hasOwn(event, presets[name].mark));
}

function scopeOf({ fields, urls }: { readonly fields: Readonly<Record<FieldContent, readonly string[]>> } & Pick<Preset, "urls">): Scope {
  const tree = new FieldTree();
  for (const content of fieldContents) for (const path of fields[content]) tree.add(content, path);
  return { tree, urls };
}
