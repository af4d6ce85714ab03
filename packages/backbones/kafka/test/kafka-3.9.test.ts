import { randomUUID } from "node:crypto";
import { kafka as startBroker, kafkaUnavailable, type Kafka } from "@threatbus/services";
import { backboneSuite } from "@threatbus/testkit";
import { afterAll, beforeAll, describe } from "vitest";
import { kafka } from "../src/index.ts";

const version = "3.9.2";
const missing = await kafkaUnavailable(version);
if (missing !== undefined && (process.env["CI"] ?? "") !== "") throw new Error(`no Kafka ${version} for these tests, and CI is set: ${missing}`);

describe.skipIf(missing !== undefined)(`Kafka ${version}${missing === undefined ? "" : ` (missing: ${missing})`}`, () => {
  let broker: Kafka;
  beforeAll(async () => void (broker = await startBroker({ version })), 120_000);
  afterAll(() => broker.stop());

  backboneSuite({
    name: `kafka with ${version}`,
    create: (world) => kafka({ topic: world, group_id: `${world}-${randomUUID()}`, config: { "bootstrap.servers": broker.bootstrap } }),
    limits: { messages: 100 },
  });
});
