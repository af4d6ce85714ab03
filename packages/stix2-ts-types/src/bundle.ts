/** Bundle: STIX 2.1 §8. */
import type { CustomProperties, Identifier } from "./common.ts";
import type { StixObject } from "./objects.ts";

/** A list of objects that need not have anything to do with each other. Not an object itself: no time, no markings. */
export interface Bundle<Content = StixObject> extends CustomProperties {
  readonly type: "bundle";
  readonly id: Identifier<"bundle">;
  readonly objects?: readonly Content[];
}
