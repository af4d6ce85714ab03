import { brokerForTests } from "@threatbus/services";
import { backboneSuite } from "@threatbus/testkit";
import { rabbitmq } from "../src/index.ts";
import { connectionOf, passing } from "./options.ts";

const { describe, url } = await brokerForTests("rabbitmq");

describe("over a real broker", () => {
  backboneSuite({ name: "rabbitmq", create: (world) => rabbitmq({ ...connectionOf(url), ...passing(world) }) });
});
