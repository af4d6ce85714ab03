import { randomBytes } from "node:crypto";
import { ThreatbusError, createBus, isThreatbusError, silentLogger } from "@threatbus/core";
import { expect } from "vitest";
import { limitsOf, type BackboneLimits, type BackboneSubject, type BackboneTest } from "./backbone-subject.ts";
import { expectBalanced } from "./balance.ts";
import { createOracle } from "./oracle.ts";
import { indicator } from "./samples.ts";
import { arrives, frameOf, newGate, newWorld, plain, stopped, withStands, type Open } from "./stand.ts";
import { eventually, within, type Tests } from "./suite.ts";

type Body = (open: Open, limits: BackboneLimits) => Promise<void>;
const test =
  (body: Body) =>
  (subject: BackboneSubject): Promise<void> =>
    withStands(subject, (open) => body(open, limitsOf(subject)));

/** The bodies of the suite: each rejects when the subject does not keep the contract. */
export const backboneTests: Tests<BackboneTest, BackboneSubject> = {
  "starts and stops": test(async (open) => {
    const stand = await open();
    await stand.start();
    await stopped(stand);
  }),

  "stops twice, at once and again": test(async (open, { patience }) => {
    const stand = await open();
    const gate = newGate();
    await stand.start(() => gate.opened);
    const publishing = stand.backbone.publish(frameOf("in flight")).catch(() => undefined);
    await eventually(() => stand.frames.length, 1, patience);
    const stops = [stopped(stand), stopped(stand)];
    gate.open();
    await Promise.all([...stops, publishing]);
    await stopped(stand);
  }),

  "stops without having started": test(async (open) => {
    await stopped(await open());
  }),

  "stops while it starts": test(async (open, { patience }) => {
    const stand = await open();
    const attempt = new AbortController();
    const starting = stand.backbone.start(async () => undefined, attempt.signal);
    attempt.abort();
    await stopped(stand);
    await within(starting.catch(() => undefined), patience, "start, aborted and stopped");
  }),

  "rejects an aborted start and may be started again": test(async (open) => {
    const stand = await open();
    await expect(stand.backbone.start(async () => undefined, AbortSignal.abort())).rejects.toBeDefined();
    await stand.start();
    await arrives(stand, stand, frameOf("after the second start"));
  }),

  "delivers to its own host, with topic, id and bytes intact": test(async (open, { patience }) => {
    const stand = await open();
    await stand.start();
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const frames = [
      frameOf(everyByte),
      frameOf("title: Suspicious\ndetection:\n", "sigma/rule"),
      frameOf("{\"type\":\"x-own\"}", "stix2/x-own"),
      frameOf("{}", "threatbus/snapshotrequest"),
    ];
    for (const frame of frames) await stand.backbone.publish(frame);
    await eventually(() => stand.frames.map(plain), frames.map(plain), patience);
  }),

  "carries large payloads": test(async (open, { maxPayload }) => {
    const stand = await open();
    await stand.start();
    await arrives(stand, stand, frameOf(randomBytes(maxPayload)));
    await arrives(stand, stand, frameOf("a small one after it"));
  }),

  "keeps the order of a publisher": test(async (open, { messages, patience }) => {
    const stand = await open();
    await stand.start();
    const frames = Array.from({ length: messages }, (_, n) => frameOf(`message ${n}`));
    await Promise.all(frames.map((frame) => stand.backbone.publish(frame)));
    await eventually(() => stand.frames.map(({ id }) => id), frames.map(({ id }) => id), patience);
  }),

  "takes messages published at once": test(async (open, { messages, patience }) => {
    const stand = await open();
    const oracle = createOracle(["host"]);
    await stand.start(async ({ id, payload }) => oracle.ingest("host", id, payload));
    const topics = ["stix2/indicator", "stix2/sighting", "sigma/rule"];
    await Promise.all(
      Array.from({ length: messages }, async (_, n) => {
        const frame = frameOf(`message ${n}`, topics[n % topics.length]);
        oracle.claim(frame.id, frame.payload);
        await stand.backbone.publish(frame);
        oracle.acked(frame.id);
      }),
    );
    await eventually(() => stand.frames.length, messages, patience);
    expect(oracle.report().total).toMatchObject({ lost: 0, spurious: 0, corrupted: 0, duplicates: 0 });
  }),

  "goes on after a delivery was rejected": test(async (open, { patience }) => {
    const stand = await open();
    const poison = frameOf("never taken");
    const unlucky = frameOf("not taken the first time");
    let tries = 0;
    await stand.start(async ({ id }) => {
      if (id === poison.id) throw new ThreatbusError("MESSAGE_REFUSED");
      if (id === unlucky.id && tries++ === 0) throw new Error("not now");
    });
    const good = frameOf("after both");
    for (const frame of [poison, unlucky, good]) await stand.backbone.publish(frame);
    await eventually(() => stand.frames.some(({ id }) => id === good.id), true, patience);
    expect(stand.frames.filter(({ id }) => id === poison.id).length).toBe(1);
  }),

  "does not make a publisher wait for a slow delivery": test(async (open, { patience }) => {
    const stand = await open();
    const gate = newGate();
    await stand.start(() => gate.opened);
    try {
      await within(stand.backbone.publish(frameOf("handled slowly")), patience, "publish, while the delivery is held");
    } finally {
      gate.open();
    }
  }),

  "subscribes and unsubscribes in any order": test(async (open) => {
    const stand = await open();
    await stand.start();
    const { backbone } = stand;
    await backbone.unsubscribe?.("yara/");
    await backbone.subscribe?.("stix2/indicator");
    await backbone.subscribe?.("stix2/indicator");
    await backbone.unsubscribe?.("stix2/");
    await arrives(stand, stand, frameOf("by the longer prefix"));
    await backbone.unsubscribe?.("stix2/indicator");
    await Promise.all([backbone.subscribe?.(""), backbone.subscribe?.("stix2")]);
    await arrives(stand, stand, frameOf("by the shorter"));
  }),

  "refuses to publish once stopped": test(async (open, { patience }) => {
    const stand = await open();
    await stand.start();
    await stopped(stand);
    const refused = within(stand.backbone.publish(frameOf("too late")), patience, "publish").catch((thrown: unknown) => thrown);
    expect(isThreatbusError(await refused), "publish rejects with a ThreatbusError").toBe(true);
  }),

  "waits for deliveries under way when it stops": test(async (open, { patience }) => {
    const stand = await open();
    const gate = newGate();
    await stand.start(() => gate.opened);
    const publishing = stand.backbone.publish(frameOf("held")).catch(() => undefined);
    await eventually(() => stand.frames.length, 1, patience);
    const stopping = stopped(stand).then(() => "stopped");
    // Long enough to close a socket, and far from what a stop that waits would need.
    const held = new Promise((resolve) => setTimeout(resolve, 200, "held"));
    const first = await Promise.race([stopping, held]);
    gate.open();
    await Promise.all([stopping, within(publishing, patience, "publish of the held frame")]);
    expect(first).toBe("held");
  }),

  "shares nothing between instances": test(async (open) => {
    const [one, other] = [await open(newWorld()), await open(newWorld())];
    await Promise.all([one.start(), other.start()]);
    await arrives(one, one, frameOf("for one"));
    await arrives(other, other, frameOf("for the other"));
    await stopped(one);
    await arrives(other, other, frameOf("after one has stopped"));
    expect([one.frames.length, other.frames.length]).toEqual([1, 2]);
  }),

  "reaches every host": test(async (open, { patience }) => {
    const hosts = [await open(), await open(), await open()];
    for (const host of hosts) await host.start();
    const sent = hosts.map((_, n) => frameOf(`from host ${n}`));
    await Promise.all(hosts.map(({ backbone }, n) => backbone.publish(sent[n] ?? frameOf(""))));
    const ids = sent.map(({ id }) => id).sort();
    for (const { frames } of hosts) await eventually(() => frames.map(({ id }) => id).sort(), ids, patience);
  }),

  "goes on when another host stops": test(async (open) => {
    const [staying, leaving] = [await open(), await open()];
    await staying.start();
    await leaving.start();
    await arrives(staying, leaving, frameOf("while both are there"));
    await stopped(leaving);
    await arrives(staying, staying, frameOf("after one has left"));
  }),

  "accounts for every message of a bus": async (subject) => {
    const { messages, patience } = limitsOf(subject);
    const oracle = createOracle(["all", "indicators"]);
    const bus = createBus({ backbones: [await subject.create(newWorld())], logger: silentLogger });
    try {
      await within(bus.start(), patience, "start of a bus");
      await bus.subscribe("", ({ id, payload }) => oracle.ingest("all", id, payload), { name: "all" });
      await bus.subscribe("stix2/indicator", ({ id, payload }) => oracle.ingest("indicators", id, payload), { name: "indicators" });
      await bus.subscribe("yara/", () => undefined, { name: "nothing" });
      await Promise.all(
        Array.from({ length: messages }, async () => {
          const sent = indicator();
          oracle.claim(sent.id, sent.payload);
          await bus.publish(sent);
          oracle.acked(sent.id);
        }),
      );
      await eventually(() => oracle.report().total.deliveredDistinct, messages * 2, patience);
    } finally {
      await within(bus.stop(), patience * 2, "stop of a bus");
    }
    expect(oracle.report().total).toMatchObject({ lost: 0, duplicates: 0, spurious: 0, corrupted: 0 });
    expectBalanced(bus.stats());
    expect(bus.stats()).toMatchObject({ published: messages, failed: 0, routed: messages, unmatched: 0 });
  },
};
