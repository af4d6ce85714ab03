import { systemClock } from "@threatbus/core";
import type { Driver } from "@threatbus/kafka-client";
import { expect, test } from "vitest";
import { options } from "../src/options.ts";
import { Topics } from "../src/topics.ts";

const topics = (given: Parameters<typeof options.parse>[0]): Topics => new Topics(options.parse(given), {} as Driver, systemClock);

test("all messages go to one topic", () => {
  expect(["stix2/indicator", "sigma/rule", "stix2/x-own"].map((topic) => topics({ topic: "bus" }).nameFor(topic))).toEqual(["bus", "bus", "bus"]);
});

test("or each type to its own, what is no name of a topic excepted", () => {
  const byType = topics({ topic: "bus", topic_per_type: true });
  expect(["stix2/indicator", "yara/rule", "stix2/x own", `stix2/${"x".repeat(100)}`].map((topic) => byType.nameFor(topic))).toEqual(["bus.stix2.indicator", "bus.yara.rule", "bus.other", "bus.other"]);
});

test("types that anybody may think up make no topics without end", () => {
  const byType = topics({ topic: "bus", topic_per_type: true });
  const names = new Set(["stix2/indicator", ...Array.from({ length: 5_000 }, (_, i) => `stix2/x-${i}`)].map((topic) => byType.nameFor(topic)));
  expect(names.size).toBe(101);
  expect(byType.nameFor("stix2/indicator")).toBe("bus.stix2.indicator");
  expect(byType.nameFor("stix2/x-4999")).toBe("bus.other");
});
