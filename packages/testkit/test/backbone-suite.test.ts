import { randomUUID } from "node:crypto";
import type { Deliver, Frame } from "@threatbus/core";
import { describe, expect, it } from "vitest";
import { backboneSuite, loopback, type BackboneTest } from "../src/index.ts";
import { backboneTests } from "../src/backbone-tests.ts";
import { delivering, newHub, type Change } from "./hub.ts";

backboneSuite({ name: "hub", create: newHub().create });
backboneSuite({
  name: "loopback",
  create: loopback,
  cannot: {
    "reaches every host": "a loopback ends where it begins",
    "goes on when another host stops": "a loopback ends where it begins",
  },
});

const never = new Promise<never>(() => undefined);
const no = (): Promise<never> => Promise.reject(new Error("no"));
const changed = (change: (frame: Frame) => Frame): Change => (backbone) => delivering(backbone, (frame, deliver) => deliver(change(frame)));

const breaks: readonly [BackboneTest, string, Change][] = [
  ["starts and stops", "hangs in stop", (backbone) => ({ ...backbone, stop: () => never })],
  ["starts and stops", "rejects in start", (backbone) => ({ ...backbone, start: no })],
  ["stops twice, at once and again", "rejects the second stop", (backbone) => {
    let stopped = false;
    return { ...backbone, stop: () => (stopped ? no() : ((stopped = true), backbone.stop())) };
  }],
  ["stops twice, at once and again", "remembers only the last who waits", (backbone) => {
    let underWay = 0;
    let settled = (): void => undefined;
    const counting = delivering(backbone, async (frame, deliver) => {
      underWay++;
      await deliver(frame);
      if (--underWay === 0) settled();
    });
    return { ...counting, stop: () => (underWay === 0 ? Promise.resolve() : new Promise<void>((resolve) => (settled = resolve))) };
  }],
  ["stops without having started", "wants to be started", (backbone) => ({ ...backbone, stop: no })],
  ["stops while it starts", "never ends a start", (backbone) => ({ ...backbone, start: () => never })],
  ["rejects an aborted start and may be started again", "ignores the signal", (backbone) => (
    { ...backbone, start: (deliver) => backbone.start(deliver, new AbortController().signal) }
  )],
  ["rejects an aborted start and may be started again", "remembers its failure", (backbone) => {
    let attempt: Promise<void> | undefined;
    return { ...backbone, start: (deliver, signal) => (attempt ??= backbone.start(deliver, signal)) };
  }],
  ["delivers to its own host, with topic, id and bytes intact", "changes the id", changed((frame) => ({ ...frame, id: randomUUID() }))],
  ["delivers to its own host, with topic, id and bytes intact", "shortens the topic", changed((frame) => ({ ...frame, topic: frame.topic.slice(0, 9) }))],
  ["delivers to its own host, with topic, id and bytes intact", "takes bytes for text", changed((frame) => (
    { ...frame, payload: Buffer.from(Buffer.from(frame.payload).toString()) }
  ))],
  ["delivers to its own host, with topic, id and bytes intact", "delivers twice", (backbone) => (
    delivering(backbone, async (frame, deliver) => (await deliver(frame), deliver(frame)))
  )],
  ["carries large payloads", "cuts at 64 KiB", changed((frame) => ({ ...frame, payload: frame.payload.subarray(0, 65_536) }))],
  ["keeps the order of a publisher", "delivers pairs in reverse", (backbone) => {
    let held: Frame | undefined;
    return delivering(backbone, async (frame, deliver) => {
      const before = held;
      held = before === undefined ? frame : undefined;
      if (before !== undefined) await Promise.all([deliver(frame), deliver(before)]);
    });
  }],
  ["takes messages published at once", "forgets the hundredth", (backbone) => {
    let count = 0;
    return { ...backbone, publish: async (frame) => (++count === 100 ? undefined : backbone.publish(frame)) };
  }],
  ["goes on after a delivery was rejected", "ends with the first rejection", (backbone) => {
    let failed = false;
    return delivering(backbone, async (frame, deliver) => (failed ? undefined : deliver(frame).catch(() => void (failed = true))));
  }],
  ["goes on after a delivery was rejected", "offers a refused frame again", (backbone) => (
    delivering(backbone, (frame, deliver) => deliver(frame).catch(() => deliver(frame)))
  )],
  ["does not make a publisher wait for a slow delivery", "waits for the handler", (backbone) => {
    let toHost: Deliver = no;
    return { ...backbone, start: async (deliver) => void (toHost = deliver), publish: (frame) => toHost(frame) };
  }],
  ["subscribes and unsubscribes in any order", "wants to know a prefix", (backbone) => ({ ...backbone, unsubscribe: no })],
  ["subscribes and unsubscribes in any order", "unsubscribes more than asked", (backbone) => {
    let prefixes: string[] = [];
    return {
      ...delivering(backbone, async (frame, deliver) => (prefixes.some((prefix) => frame.topic.startsWith(prefix)) ? deliver(frame) : undefined)),
      subscribe: async (prefix) => void prefixes.push(prefix),
      unsubscribe: async (prefix) => void (prefixes = prefixes.filter((known) => !known.startsWith(prefix))),
    };
  }],
  ["refuses to publish once stopped", "says nothing", (backbone) => ({ ...backbone, publish: (frame) => backbone.publish(frame).catch(() => undefined) })],
  ["refuses to publish once stopped", "rejects without a code", (backbone) => ({ ...backbone, publish: (frame) => backbone.publish(frame).catch(no) })],
  ["waits for deliveries under way when it stops", "does not wait", (backbone) => ({ ...backbone, stop: async () => void backbone.stop() })],
  ["shares nothing between instances", "knows one world", (backbone, _world, worlds) => (
    { ...backbone, publish: async (frame) => worlds.forEach((hosts) => hosts.forEach((host) => void host(frame))) }
  )],
  ["reaches every host", "delivers to its own host alone", (backbone) => {
    let toHost: Deliver = no;
    return { ...backbone, start: async (deliver) => void (toHost = deliver), publish: async (frame) => void toHost(frame) };
  }],
  ["goes on when another host stops", "takes all along", (backbone, world, worlds) => (
    { ...backbone, stop: async () => (await backbone.stop(), worlds.get(world)?.clear()) }
  )],
  ["accounts for every message of a bus", "loses what it answered for", (backbone) => {
    let count = 0;
    return delivering(backbone, async (frame, deliver) => (++count % 100 === 0 ? undefined : deliver(frame)));
  }],
  ["accounts for every message of a bus", "delivers under another id", (backbone) => (
    delivering(backbone, async (frame, deliver) => {
      await deliver(frame);
      await deliver({ topic: frame.topic, payload: frame.payload, id: randomUUID() });
    })
  )],
];

describe("the backbone contract catches a backbone that", () => {
  it.each(breaks)("fails at: %s — %s", async (name, _how, change) => {
    const limits = { patience: 300, messages: 200 };
    await expect(backboneTests[name]({ name: "broken", create: newHub(change).create, limits })).rejects.toThrow();
  });

  it("has a broken backbone for every test", () => {
    expect(new Set(breaks.map(([name]) => name))).toEqual(new Set(Object.keys(backboneTests)));
  });

  it("refuses an excuse for a test there is not", () => {
    const cannot = { "flies": "it has no wings" } as object;
    expect(() => backboneSuite({ name: "bird", create: loopback, cannot })).toThrow("bird: no such test: flies");
  });
});
