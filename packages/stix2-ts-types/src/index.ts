export type { Identifier, Timestamp } from "./common.ts";
export type { Indicator } from "./sdo/evidence.ts";
export type { Relationship, Sighting } from "./sro.ts";
export type { Bundle } from "./bundle.ts";
export type { CustomObject, RelationshipObject, StixObject } from "./objects.ts";
