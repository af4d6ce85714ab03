import { defineBackbone } from "@threatbus/core";
import type { BackbonePlugin } from "@threatbus/core";
import type { z } from "zod";
import { createKafka } from "./backbone.ts";
import { options } from "./options.ts";

/**
 * Moves frames between hosts over Apache Kafka: one topic, one consumer group per host. Acknowledged by all replicas when published,
 * committed when the subscribers here are done: at least once, and the past can be read again.
 */
export const kafka: BackbonePlugin<z.input<typeof options>> = defineBackbone({ name: "kafka", options, create: createKafka });
export default kafka;
