/** Every object, as one union told apart by `type`. */
import type { DomainProperties, Identifier, Timestamp } from "./common.ts";
import type { Indicator } from "./sdo/evidence.ts";
import type { Relationship, Sighting } from "./sro.ts";

/** STIX 2.1 §5. */
export type RelationshipObject = Relationship | Sighting;

/**
 * An object the standard does not know, STIX 2.1 §11.2 and §7.3. Its type begins with `x-` so that comparing `type` still tells every other
 * object apart; for types without the prefix, name them: `StixObject<CustomObject<"weather-balloon">>`.
 */
export interface CustomObject<Type extends string = `x-${string}`> extends Partial<Omit<DomainProperties<Type>, "type" | "id">> {
  readonly type: Type;
  readonly id: Identifier<Type>;
  readonly created?: Timestamp;
  readonly [property: string]: unknown;
}

/** Any object a bundle may hold. `Custom` is what to expect beyond the standard. */
export type StixObject<Custom = CustomObject> = Indicator | RelationshipObject | Custom;
