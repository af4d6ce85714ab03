/** What kafkajs 2.2.4 does wrong and needs no broker to be seen: each test fails without its cure. Those that need one are the backbone's. */
import { setTimeout as pause } from "node:timers/promises";
import { runInThisContext } from "node:vm";
import { systemClock } from "@threatbus/core";
import { freePort } from "@threatbus/testkit";
import { describe, expect, onTestFinished, test } from "vitest";
import { Consumer } from "../src/consumer.ts";
import type { Driver, DriverConsumerEvents } from "../src/contract.ts";
import { faultOf } from "../src/faults.ts";
import { kafkajsDriver } from "../src/kafkajs.ts";
import { readProperties } from "../src/properties.ts";
import { quietNegativeTimeouts } from "../src/quiet.ts";

describe("kafkajs", () => {
  test("3: a consumer that crashes is replaced, also when it does so while it starts to run", async () => {
    const lives: DriverConsumerEvents[] = [];
    const driver = {
      consumer: () => ({
        async run(_topics: readonly string[], events: DriverConsumerEvents) {
          lives.push(events);
          // The second crashes while it starts, and `run` resolves.
          if (lives.length === 2) events.crashed(new Error("UNKNOWN_MEMBER_ID"));
          else events.joined([{ topic: "t", partition: 0 }]);
        },
        seek: () => undefined,
        commit: async () => undefined,
        close: async () => undefined,
      }),
    } as unknown as Driver;
    const faults: string[] = [];
    const { properties: { group } } = readProperties({});
    const consumer = new Consumer({
      driver, clock: systemClock, group: { ...group, groupId: "g" }, topics: ["t"], starts: [], prefetch: 10, commitInterval: 100,
      idOf: () => "", handle: async () => undefined, onJoined: () => undefined, onEnded: ({ message }) => void faults.push(message),
    });
    onTestFinished(() => consumer.close());
    await consumer.start();
    lives[0]?.crashed(new Error("not retriable"));
    await expect.poll(() => lives.length).toBe(3);
    expect(faults).toEqual(["not retriable", "UNKNOWN_MEMBER_ID"]);
  });

  test("8: it tries as often as it is told, also where NODE_ENV is test", async () => {
    expect(process.env["NODE_ENV"]).toBe("test");
    const { properties } = readProperties({ "bootstrap.servers": `127.0.0.1:${await freePort()}` });
    const driver = kafkajsDriver(properties.connection, () => undefined);
    const fault = faultOf(await driver.admin().catch((thrown: unknown) => thrown));
    expect(fault).toMatchObject({ kind: "away", cause: { retryCount: 0 } });
  });

  test("8: its warning about negative time-outs is not printed, every other is", async () => {
    const warnings: string[] = [];
    const hear = ({ name, message }: Error): void => void warnings.push(`${name} ${message}`);
    process.on("warning", hear);
    onTestFinished(() => void process.off("warning", hear));
    const original = Reflect.get(process, "emitWarning");
    const inKafkajs = runInThisContext("(warn) => warn()", { filename: "node_modules/kafkajs/src/network/requestQueue/index.js" }) as (warn: () => void) => void;
    const [loud, louder] = [quietNegativeTimeouts(), quietNegativeTimeouts()];
    inKafkajs(() => process.emitWarning("theirs", "TimeoutNegativeWarning"));
    inKafkajs(() => process.emitWarning("theirs", "DeprecationWarning2"));
    process.emitWarning("ours", "TimeoutNegativeWarning");
    loud();
    loud();
    inKafkajs(() => process.emitWarning("still theirs", { type: "TimeoutNegativeWarning" }));
    louder();
    expect(Reflect.get(process, "emitWarning")).toBe(original);
    await pause(0);
    expect(warnings).toEqual(["DeprecationWarning2 theirs", "TimeoutNegativeWarning ours"]);
  });
});
