import { defineApp } from "@threatbus/core";
import type { AppPlugin } from "@threatbus/core";
import type { z } from "zod";
import { createMisp } from "./app.ts";
import { options } from "./options.ts";

/** Publishes the attributes of a MISP as indicators, and withdraws them when MISP does. */
export const misp: AppPlugin<z.input<typeof options>> = defineApp({ name: "misp", options, create: createMisp });
export default misp;

export type { MispOptions } from "./options.ts";
export { decodeAttribute } from "./decode.ts";
export type { Action, Decoded, DecodeRefusal, MispAttribute, MispAttributeMessage, MispEvent, MispTag } from "./decode.ts";
export { indicatorOf } from "./map.ts";
export type { Mapped } from "./map.ts";
export { mappedTypes } from "./observable.ts";
