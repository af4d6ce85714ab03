/** The four Traffic Light Protocol markings, whose ids the standard fixes: STIX 2.1 §7.2.1.4. */
import type { MarkingProperties } from "./meta.ts";

/** TLP 1.0, the version the standard knows. */
export type TlpColour = "white" | "green" | "amber" | "red";

interface TlpIds {
  readonly white: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9";
  readonly green: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da";
  readonly amber: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82";
  readonly red: "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed";
}

/** One of the four; no others may be made. */
export type TlpMarking<Colour extends TlpColour = TlpColour> = { readonly [C in Colour]: TlpDefinition<C> }[Colour];

interface TlpDefinition<Colour extends TlpColour> extends MarkingProperties {
  readonly id: TlpIds[Colour];
  readonly created: "2017-01-20T00:00:00.000Z";
  readonly definition_type: "tlp";
  readonly name: `TLP:${Uppercase<Colour>}`;
  readonly definition: { readonly tlp: Colour };
}

/** `tlp.amber.id` is what goes into `object_marking_refs`; the object itself may go along in a bundle. */
export const tlp: { readonly [Colour in TlpColour]: TlpMarking<Colour> } = {
  white: {
    type: "marking-definition",
    spec_version: "2.1",
    id: "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9",
    created: "2017-01-20T00:00:00.000Z",
    definition_type: "tlp",
    name: "TLP:WHITE",
    definition: { tlp: "white" },
  },
  green: {
    type: "marking-definition",
    spec_version: "2.1",
    id: "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da",
    created: "2017-01-20T00:00:00.000Z",
    definition_type: "tlp",
    name: "TLP:GREEN",
    definition: { tlp: "green" },
  },
  amber: {
    type: "marking-definition",
    spec_version: "2.1",
    id: "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    created: "2017-01-20T00:00:00.000Z",
    definition_type: "tlp",
    name: "TLP:AMBER",
    definition: { tlp: "amber" },
  },
  red: {
    type: "marking-definition",
    spec_version: "2.1",
    id: "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed",
    created: "2017-01-20T00:00:00.000Z",
    definition_type: "tlp",
    name: "TLP:RED",
    definition: { tlp: "red" },
  },
};
