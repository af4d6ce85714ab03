/** How an object carries extensions: STIX 2.1 §7.3. */
import type { Dictionary, Identifier } from "../common.ts";
import type { ExtensionType } from "../vocabularies/domain.ts";

/** Extensions by the id of their definition; the types of observables that have predefined ones add those by name. */
export interface Extensions {
  readonly [definition: Identifier<"extension-definition">]: Extension;
  /** STIX 2.1 §11.3, deprecated by the standard: an extension without a definition. */
  readonly [custom: `x-${string}`]: Dictionary;
}

/** One extension of an object: its kind, and for a `property-extension` the properties themselves. */
export interface Extension extends Dictionary {
  readonly extension_type: ExtensionType;
}
