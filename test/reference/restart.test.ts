/** What a restart of the broker costs a mixed fleet, whose exchange does not outlive it: promised, and not. */
import { createBus } from "@threatbus/core";
import { rabbitmq } from "@threatbus/rabbitmq";
import { needsReference, rabbitmq as startBroker, type Rabbitmq } from "@threatbus/services";
import { freePorts, indicator as sample } from "@threatbus/testkit";
import type { BusIndicator } from "@threatbus/zmq-client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { command } from "./command.ts";
import { app, arrives, configuration, consumes, ours, theirs, waiting } from "./hosts.ts";

const possible = await needsReference();
const indicator = (): BusIndicator => sample().body as BusIndicator;

possible.describe("over a restart of the broker", () => {
  let broker: Rabbitmq;
  beforeAll(async () => void (broker = await startBroker()));
  afterAll(() => broker.stop());

  /** What waits in the queue of a host of theirs that is away, and goes to a host of ours that replaces it. */
  async function replaced(world: string): Promise<Scenario> {
    const suffix = `${world}.replaced`;
    const queue = "max_items: 7, durable: true, auto_delete: false, lazy: true, exclusive: false, name_join_symbol: .";
    const away = await theirs(broker, world, suffix, { queue });
    const their = await theirs(broker, world, `${world}.theirs`);
    const our = await ours(broker, { exchange_name: world, queue: { name_suffix: `${world}.ours` } });
    const [here, there] = [await app(our.manage), await app(their.manage)];
    await arrives(here.client, there, indicator);
    await arrives(there.client, here, indicator);
    await away.kill();
    const [first, second, third] = [indicator(), indicator(), indicator()] as const;
    for (const [from, object] of [[here, first], [there, second], [here, third]] as const) {
      await from.client.publish(object);
      await expect.poll(() => here.got.has(object.id)).toBe(true);
    }
    // Confirmed is what counts: its publisher was told.
    await expect.poll(() => our.bus.stats().plugins["rabbitmq"]?.find(({ name }) => name === "outbox_waiting")?.value).toBe(0);
    return {
      async up() {
        const refused = ours(broker, { exchange_name: world, queue: { name_suffix: suffix } });
        await expect(refused).rejects.toMatchObject({ code: "OPTIONS_INVALID", message: expect.stringMatching(/queue\.max_items.* it is 7/) as string });
        const taken: string[] = [];
        const heir = createBus({ backbones: [rabbitmq({ host: "127.0.0.1", port: broker.port, exchange_name: world, queue: { name_suffix: suffix, max_items: 7 } })], apps: [] });
        onTestFinished(() => heir.stop());
        await heir.subscribe("stix2/", ({ payload }) => void taken.push(Buffer.from(payload).toString()));
        await heir.start();
        const behind = sample();
        await heir.publish(behind);
        const texts = [first, second, third, behind.body].map((object) => JSON.stringify(object));
        await expect.poll(() => taken).toContain(texts[3]);
        expect(taken.filter((text) => texts.includes(text))).toEqual([texts[0], texts[2], texts[3]]);
      },
    };
  }

  async function oursBackFirst(world: string): Promise<Scenario> {
    const their = await theirs(broker, world, `${world}.theirs`);
    const our = await ours(broker, { exchange_name: world, queue: { name_suffix: `${world}.ours` } });
    const [here, there] = [await app(our.manage), await app(their.manage)];
    await arrives(here.client, there, indicator);
    their.pause();
    const [before, during, after] = [indicator(), indicator(), indicator()] as const;
    await here.client.publish(before);
    await expect.poll(() => here.got.has(before.id)).toBe(true);
    return {
      down: () => here.client.publish(during),
      async up() {
        await consumes(broker, `${world}.ours`);
        await here.client.publish(after);
        // Held while there was no broker, and confirmed now: for the queues that were bound.
        for (const { id } of [during, after]) await expect.poll(() => here.got.has(id)).toBe(true);
        their.resume();
        await consumes(broker, `${world}.theirs`);
        await arrives(here.client, there, indicator);
        // It logs what it takes from the broker, whether its apps were there or not.
        const log = await their.log();
        expect([before, during, after].map(({ id }) => log.includes(id))).toEqual([true, false, false]);
        await arrives(there.client, here, indicator);
      },
    };
  }

  async function theirsBackFirst(world: string): Promise<Scenario> {
    const [manage, pub, sub] = (await freePorts(3)) as [number, number, number];
    const exchange = "durable: false";
    const our = await command(configuration(broker, world, `${world}.ours`, { manage, pub, sub }, { exchange }));
    // What only ours knows does not trouble theirs.
    const their = await theirs(broker, world, `${world}.theirs`, { exchange });
    const [here, there] = [await app(manage), await app(their.manage)];
    await arrives(here.client, there, indicator);
    await arrives(there.client, here, indicator);
    our.kill("SIGSTOP");
    return {
      async up() {
        await consumes(broker, `${world}.theirs`);
        // One may be there that was not acknowledged when ours was stopped.
        const waited = await waiting(broker, `${world}.ours`);
        const unheard = await reaching(there);
        expect(await waiting(broker, `${world}.ours`)).toBe(waited);
        our.kill("SIGCONT");
        await consumes(broker, `${world}.ours`);
        await arrives(there.client, here, indicator);
        await arrives(here.client, there, indicator);
        expect(unheard.filter((id) => here.got.has(id))).toEqual([]);
      },
    };
  }

  async function restart(end: "terminate" | "kill", scenarios: readonly Scenario[]): Promise<void> {
    await broker[end]();
    for (const { down } of scenarios) await down?.();
    await broker.start();
    await Promise.all(scenarios.map(({ up }) => up()));
  }

  test("in order: what ours sent stays in the queues it was confirmed for, what theirs sent is gone", async () => {
    await restart("terminate", [await replaced("terminated")]);
  });

  test("killed: the same; and what either sends before the other has bound its queue again never reaches it, but all that comes then", async () => {
    await restart("kill", await Promise.all([replaced("killed"), oursBackFirst("ours-back-first"), theirsBackFirst("theirs-back-first")]));
  });
});

interface Scenario {
  /** While there is no broker. */
  down?(): Promise<void>;
  /** When there is one again. */
  up(): Promise<void>;
}

/** Publishes through a host until one of the objects has come back; resolves with all their ids. */
async function reaching(there: Awaited<ReturnType<typeof app>>): Promise<string[]> {
  const sent: string[] = [];
  await arrives(there.client, there, () => {
    const object = indicator();
    sent.push(object.id);
    return object;
  });
  return sent;
}
