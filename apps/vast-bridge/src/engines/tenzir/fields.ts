/** The fields that events are looked into, as the engine's programs need them. */
import type { FieldOptions } from "../../field-options.ts";
import type { FieldContent, SplitUrl } from "../../fields.ts";
import { fieldContents, kindsOf, presets } from "../../fields.ts";
import type { ObservableKind } from "../../observable.ts";

export interface Field {
  readonly content: FieldContent;
  /** `dns.answers[].rdata` */
  readonly path: string;
}

/** Fields of the events of one tool. */
export interface Scope {
  /** A key that every event of the tool has and those of others have not; undefined for fields of any event. */
  readonly mark?: string;
  readonly fields: readonly Field[];
  readonly urls: readonly SplitUrl[];
}

/** Only fields in which one of the kinds can be. Scopes without any are left out. */
export function scopesFor(options: FieldOptions, kinds: ReadonlySet<ObservableKind>): Scope[] {
  const pick = (fields: Readonly<Record<FieldContent, readonly string[]>>): Field[] =>
    fieldContents.filter((content) => kindsOf[content].some((kind) => kinds.has(kind))).flatMap((content) => fields[content].map((path) => ({ content, path })));
  const scopes: Scope[] = options.presets.map((name) => {
    const { mark, fields, urls } = presets[name];
    return { mark, fields: pick(fields), urls: kinds.has("url") ? urls : [] };
  });
  return [...scopes, { fields: pick(options.fields), urls: [] }].filter(({ fields, urls }) => fields.length + urls.length > 0);
}

/** Where the presets have an event's time. */
export function timesOf(options: FieldOptions): string[] {
  return [...new Set([...options.presets.map((name) => presets[name].time), "timestamp", "ts"])];
}

/** The marks of all presets in use, those without wanted fields included. */
export function marksOf(options: FieldOptions): string[] {
  return options.presets.map((name) => presets[name].mark);
}
