import { defineBackbone } from "@threatbus/core";
import type { BackbonePlugin } from "@threatbus/core";
import type { z } from "zod";
import { createRabbitmq } from "./backbone.ts";
import { options } from "./options.ts";

/**
 * Moves frames between hosts over RabbitMQ: one fanout exchange, one queue per host. Published with confirms and persistent,
 * acknowledged when the subscribers here are done: at least once.
 */
export const rabbitmq: BackbonePlugin<z.input<typeof options>> = defineBackbone({ name: "rabbitmq", options, create: createRabbitmq });
export default rabbitmq;
