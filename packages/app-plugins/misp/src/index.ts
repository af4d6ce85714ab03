import { defineApp } from "@threatbus/core";
import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { createMisp } from "./app.ts";
import { options } from "./options.ts";

/** Publishes the attributes of a MISP as indicators, and withdraws them when MISP does. */
export const misp: AppPlugin<z.input<typeof options>> = defineApp({ name: "misp", options, create: createMisp });
export default misp;

export type { MispOptions } from "./options.ts";
export { decode, decodeRow } from "./decode/decode.ts";
export type {
  AttributeAction, AttributeMessage, Decoded, DecodeRefusal, EventMessage, MispAttribute, MispEvent, MispMessage, MispOrganisation, MispSighting, MispTag,
  PublishedMessage, SightingMessage, TagMessage,
} from "./decode/message.ts";
export { indicatorsOf } from "./map/indicator.ts";
export type { Mapped, Rule } from "./map/indicator.ts";
export type { MappingOptions, Profile } from "./map/options.ts";
export { sightingOf } from "./map/sighting.ts";
export { mappedTypes } from "./map/types.ts";
