import { brokerForTests } from "@threatbus/services";
import { backboneSuite } from "@threatbus/testkit";
import { randomUUID } from "node:crypto";
import { kafka } from "../src/index.ts";
import { soon } from "./hosts.ts";

const { describe, bootstrap } = await brokerForTests("kafka");

describe("Kafka, the newest", () => {
  backboneSuite({
    name: "kafka",
    create: (world) => kafka({ topic: world, group_id: `${world}-${randomUUID()}`, config: { "bootstrap.servers": bootstrap, ...soon } }),
  });
});
