import { randomUUID } from "node:crypto";
import { kafka as startBroker, needs, type Kafka } from "@threatbus/services";
import { backboneSuite } from "@threatbus/testkit";
import { afterAll, beforeAll } from "vitest";
import { kafka } from "../src/index.ts";
import { soon } from "./hosts.ts";

const version = "3.9.2";
const { describe } = await needs("kafka", version);

describe(`Kafka ${version}`, () => {
  let broker: Kafka;
  beforeAll(async () => void (broker = await startBroker({ version })));
  afterAll(() => broker.stop());

  backboneSuite({
    name: `kafka with ${version}`,
    create: (world) => kafka({ topic: world, group_id: `${world}-${randomUUID()}`, config: { "bootstrap.servers": broker.bootstrap, ...soon } }),
    limits: { messages: 100 },
  });
});
