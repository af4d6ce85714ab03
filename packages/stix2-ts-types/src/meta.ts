/** Objects about objects: STIX 2.1 §7. */
import type { Dictionary, DomainProperties, ExternalReference, Identifier, LanguageTag, MarkedProperties, Timestamp } from "./common.ts";
import type { Extensions } from "./extensions/extension.ts";
import type { TlpMarking } from "./tlp.ts";
import type { ExtensionType } from "./vocabularies/domain.ts";

/** Translations of another object's text. STIX 2.1 §7.1. */
export interface LanguageContent extends Omit<DomainProperties<"language-content">, "lang"> {
  readonly object_ref: Identifier;
  /** The version translated, by its `modified`. Left out: the latest. */
  readonly object_modified?: Timestamp;
  /** By language, then by property; translated lists and dictionaries have the shape of the original. */
  readonly contents: { readonly [language: LanguageTag]: Dictionary<Translated> };
}

/** A text, or the texts in place of those of a list or dictionary. */
export type Translated = string | readonly Translated[] | { readonly [key: string]: Translated };

/** How data may be handled and shared. It has no versions: mark anew instead. STIX 2.1 §7.2.1. */
export type MarkingDefinition = TlpMarking | StatementMarking | ExtendedMarking | CustomMarking;

/** Common properties of marking definitions. STIX 2.1 §7.2.1.1. */
export interface MarkingProperties extends MarkedProperties {
  readonly type: "marking-definition";
  readonly spec_version: "2.1";
  readonly id: Identifier<"marking-definition">;
  readonly created_by_ref?: Identifier<"identity">;
  readonly created: Timestamp;
  readonly external_references?: readonly ExternalReference[];
  readonly name?: string;
  readonly extensions?: Extensions;
}

/** Copyright, terms of use and the like. STIX 2.1 §7.2.1.3. */
export interface StatementMarking extends MarkingProperties {
  readonly definition_type: "statement";
  readonly definition: { readonly statement: string };
}

/** Its meaning is in its extensions: TLP 2.0, for one. STIX 2.1 §7.2.1.1. */
export interface ExtendedMarking extends MarkingProperties {
  readonly extensions: Extensions;
  readonly definition_type?: never;
  readonly definition?: never;
}

/** A kind of marking of one's own; extensions are what the standard advises. STIX 2.1 §7.2.1.1. */
export interface CustomMarking extends MarkingProperties {
  readonly definition_type: `x-${string}`;
  readonly definition: Dictionary;
}

/** What an extension means and where its schema is. STIX 2.1 §7.3. */
export interface ExtensionDefinition
  extends Omit<DomainProperties<"extension-definition">, "created_by_ref" | "confidence" | "lang" | "extensions"> {
  readonly created_by_ref: Identifier<"identity">;
  readonly name: string;
  readonly description?: string;
  /** A URL, or the definition itself. */
  readonly schema: string;
  /** Semantic version. */
  readonly version: string;
  readonly extension_types: readonly ExtensionType[];
  /** New top-level properties, for `toplevel-property-extension` alone. */
  readonly extension_properties?: readonly string[];
}
