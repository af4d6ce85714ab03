import { once } from "node:events";
import { needsReference, rabbitmq as startBroker, type Rabbitmq } from "@threatbus/services";
import { connect, type BusIndicator, type BusSighting } from "@threatbus/zmq-client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { command } from "./command.ts";
import { app, arrives, consumes, ours, startTheirs, theirs, waiting, type App } from "./hosts.ts";

const here = await needsReference();
let objects = 0;

/** With what an object may hold: custom properties, microseconds, an update. */
function indicator(more: Partial<BusIndicator> = {}): BusIndicator {
  return {
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--00000000-0000-4000-8000-${String(++objects).padStart(12, "0")}`,
    created: "2024-05-01T10:00:00.123456Z",
    modified: "2024-05-01T10:00:00.123456Z",
    valid_from: "2024-05-01T10:00:00Z",
    pattern: "[domain-name:value = 'quote\\'s.example']",
    pattern_type: "stix",
    x_threatbus_update: "EDIT",
    ...more,
  };
}

function sighting(of: BusIndicator): BusSighting {
  return {
    type: "sighting",
    spec_version: "2.1",
    id: of.id.replace("indicator", "sighting") as BusSighting["id"],
    created: "2024-05-01T10:00:01.5Z",
    modified: "2024-05-01T10:00:01.5Z",
    sighting_of_ref: of.id,
    x_threatbus_sighting_context: { ts: 1.5, id: { orig_h: "198.51.100.7", resp_p: 53 }, answers: ["ü", null] },
    x_threatbus_match_type: "LIVE",
    x_threatbus_source: "test",
  };
}

/** What a host in between may write otherwise: times lose zeros, and defaults of STIX are filled in. */
function comparable(object: Readonly<Record<string, unknown>> | undefined): unknown {
  const kept = Object.entries(object ?? {}).filter(([name, value]) => !(["revoked", "pattern_version", "confidence"].includes(name) && (value === false || value === "2.1")));
  return Object.fromEntries(kept.map(([name, value]) => [name, typeof value === "string" ? value.replace(/(\.\d*?)0*Z$/, (_, digits: string) => (digits === "." ? "Z" : `${digits}Z`)) : value]));
}

async function bothWays(a: App, b: App): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const known = indicator();
    const objects = [known, indicator({ x_threatbus_update: "REMOVE" }), sighting(known)];
    for (const object of objects) await from.client.publish(object);
    for (const object of objects) await expect.poll(() => comparable(to.got.get(object.id))).toEqual(comparable(object as unknown as Record<string, unknown>));
  }
}

/** Asks on one host; an app on the other answers. */
async function historyOf(answering: number, asking: number): Promise<void> {
  const history = [indicator({ x_threatbus_update: undefined as never }), indicator({ x_threatbus_update: undefined as never })].map((each) => JSON.parse(JSON.stringify(each)) as BusIndicator);
  const archive = await connect({ manage: answering, requestTimeout: 10_000 });
  onTestFinished(() => archive.close());
  let open: () => void = () => undefined;
  const attached = new Promise<void>((resolve) => (open = resolve));
  await archive.onSnapshotRequest(async function* (request) {
    await attached;
    if (request.snapshot_type === 1) yield* history;
  });
  const late = await app(asking, 30);
  // A host of theirs gives out before a new app is attached: seen, an answer it had published was lost.
  await arrives(archive, late, () => indicator());
  open();
  await expect.poll(() => history.map(({ id }) => late.got.has(id))).toEqual([true, true]);
}

here.describe("a fleet of the Python Threat Bus and ours on one RabbitMQ", () => {
  let broker: Rabbitmq;
  beforeAll(async () => void (broker = await startBroker()));
  afterAll(() => broker.stop());

  /** Shows that all arrives; resolves with what to do after a restart. */
  async function fleet(first: "ours" | "theirs"): Promise<() => Promise<void>> {
    const world = `mixed-${first}`;
    const startOurs = () => ours(broker, { exchange_name: world, queue: { name_suffix: `${world}.ours` }, ...(first === "ours" && { exchange: { durable: false } }) });
    const early = first === "ours" ? await startOurs() : undefined;
    const their = await theirs(broker, world, `${world}.theirs`);
    const our = early ?? (await startOurs());
    const warned = (): number => our.warnings.filter(({ text }) => text.includes("the exchange is not durable")).length;
    expect(warned()).toBe(first === "ours" ? 0 : 1);
    const [here, there] = [await app(our.manage), await app(their.manage)];
    await arrives(there.client, here, () => indicator());
    await arrives(here.client, there, () => indicator());
    await bothWays(here, there);
    await historyOf(their.manage, our.manage);
    await historyOf(our.manage, their.manage);
    return async () => {
      for (const suffix of [`${world}.ours`, `${world}.theirs`]) await consumes(broker, suffix);
      await arrives(there.client, here, () => indicator());
      await arrives(here.client, there, () => indicator());
      await bothWays(here, there);
      expect(warned()).toBe(first === "ours" ? 0 : 1);
    };
  }

  test("whoever was first: indicators and sightings both ways, snapshots both ways, and the same after the broker was restarted, and killed", async () => {
    const fleets = await Promise.all((["ours", "theirs"] as const).map(fleet));
    for (const end of ["terminate", "kill"] as const) {
      await broker[end]();
      await broker.start();
      await Promise.all(fleets.map((again) => again()));
    }
  });

  test("a durable exchange locks the reference out: that is why the README says what to set", async () => {
    await ours(broker, { exchange_name: "durable", queue: { name_suffix: "durable.ours", auto_delete: true } });
    const host = await startTheirs(broker, "durable", "durable.theirs");
    await expect.poll(() => host.log()).toMatch(/inequivalent arg 'durable' for exchange 'durable'/);
  });

  test("ours takes over the queue of a host it replaces, with what waits in it, and starts with its configuration file as it is", async () => {
    const world = "replaced";
    const their = await theirs(broker, world, `${world}.host`);
    const sender = await ours(broker, { exchange_name: world, queue: { name_suffix: `${world}.sender` } });
    await their.kill();
    const left = [indicator(), indicator()];
    const { client } = await app(sender.manage);
    for (const object of left) await client.publish(object);
    await expect.poll(() => waiting(broker, `${world}.host`)).toBe(2);

    const child = await command(their.config);
    await consumes(broker, `${world}.host`);
    const [here, there] = [await app(sender.manage), await app(their.manage)];
    await bothWays(here, there);
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    // What it had not acknowledged would wait again.
    await expect.poll(() => waiting(broker, `${world}.host`)).toBe(0);

    const changed = ours(broker, { exchange_name: world, queue: { name_suffix: `${world}.host`, max_items: 5 } });
    await expect(changed).rejects.toMatchObject({ code: "OPTIONS_INVALID", message: expect.stringContaining("queue.max_items") as string });
  });
});
