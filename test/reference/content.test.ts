/** What an object looks like when it has crossed from one kind of host to the other: written by python-stix2 3.0.1, or as it stood. */
import { needsReference, rabbitmq as startBroker, type Rabbitmq } from "@threatbus/services";
import { connect, type Client } from "@threatbus/zmq-client";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { ours, theirs, type OurHost, type TheirHost } from "./hosts.ts";

const here = await needsReference();
let objects = 0;
const id = (type: string): string => `${type}--00000000-0000-4000-9000-${String(++objects).padStart(12, "0")}`;

interface Stix {
  readonly type: string;
  readonly id: string;
  readonly [name: string]: unknown;
}

/** In the order python-stix2 writes, with what it adds, so that only its spelling differs: times with zeros, `revoked`, letters beyond ASCII. */
const written = (): Stix => ({
  type: "indicator",
  spec_version: "2.1",
  id: id("indicator"),
  created: "2024-05-01T10:00:00.123456Z",
  modified: "2024-05-01T10:00:00.200000Z",
  name: "Übel",
  pattern: "[domain-name:value = 'quote\\'s.example']",
  pattern_type: "stix",
  pattern_version: "2.1",
  valid_from: "2024-05-01T10:00:00.000Z",
  revoked: false,
  labels: ["one"],
  x_custom: { at: "2024-05-01T10:00:00.000Z", list: [1.5, null, "é", 1e3] },
  x_threatbus_update: "EDIT",
});
const read = (sent: Stix): object => {
  const { revoked: _, ...rest } = sent;
  return { ...rest, modified: "2024-05-01T10:00:00.2Z", valid_from: "2024-05-01T10:00:00Z" };
};

const sighting = (indicator: object): Stix => ({
  type: "sighting",
  spec_version: "2.1",
  id: id("sighting"),
  created: "2024-05-01T10:00:01.5Z",
  modified: "2024-05-01T10:00:01.5Z",
  count: 2,
  sighting_of_ref: "note--00000000-0000-4000-8000-000000000000",
  x_threatbus_indicator: indicator,
  x_threatbus_indicator_value: "evil.example",
  x_threatbus_match_type: "RETRO",
  x_threatbus_sighting_context: { type: "indicator", ts: "2024-05-01T10:00:00.000Z", answers: ["ü", null] },
  x_threatbus_source: "VAST",
});

/** As `json.dumps` writes: spaces, and ASCII only. */
function dumps(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(dumps).join(", ")}]`;
  if (typeof value === "object" && value !== null) return `{${Object.entries(value).map(([key, each]) => `${dumps(key)}: ${dumps(each)}`).join(", ")}}`;
  return JSON.stringify(value).replace(/[\u0080-\uffff]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

here.describe("what crosses between a host of the Python Threat Bus and ours", () => {
  let broker: Rabbitmq;
  beforeAll(async () => void (broker = await startBroker()));
  afterAll(() => broker.stop());

  /** One host of each kind, and apps that get messages on both. */
  async function pair(world: string): Promise<Pair> {
    const their = await theirs(broker, world, `${world}.theirs`);
    const our = await ours(broker, { exchange_name: world, queue: { name_suffix: `${world}.ours` } });
    const [here, there] = [await client(our.manage), await client(their.manage)];
    const [gotHere, gotThere] = [await texts(our.manage), await texts(their.manage)];
    await reaches(here, gotThere);
    await reaches(there, gotHere);
    return { our, their, here, there, gotHere, gotThere };
  }

  test("from ours to theirs: rewritten by python-stix2, nothing missing; from theirs to ours: the very bytes that it wrote", async () => {
    const { here, there, gotHere, gotThere } = await pair("content");
    for (const [from, both] of [[here, [gotThere]], [there, [gotHere, gotThere]]] as const) {
      const known = written();
      const removed: Stix = { ...written(), x_threatbus_update: "REMOVE" };
      // What is nested stays as it was.
      const seen = sighting(known);
      for (const object of [known, removed, seen]) await from.publish({ topic: `stix2/${object.type}`, payload: JSON.stringify(object) });
      for (const got of both) {
        for (const object of [known, removed]) await expect.poll(() => got.get(object.id)).toBe(dumps(read(object)));
        await expect.poll(() => got.get(seen.id)).toBe(dumps(seen));
      }
    }
  });

  test("an answer to a snapshot: an indicator in a sighting is rewritten, too, when it goes through theirs", async () => {
    const { our, their, here, there } = await pair("snapshots");
    for (const [answering, asking, live] of [[our, their, here], [their, our, there]] as const) {
      const known = written();
      const seen = sighting(known);
      const archive = await client(answering.manage);
      let open: () => void = () => undefined;
      const attached = new Promise<void>((resolve) => (open = resolve));
      const asked: number[] = [];
      await archive.onSnapshotRequest(async function* ({ snapshot, snapshot_type: type }) {
        asked.push(snapshot);
        await attached;
        yield (type === 1 ? known : seen) as never;
      });
      const got = await texts(asking.manage, 2);
      await reaches(live, got);
      open();
      const answers = (): unknown[] => [known, seen].map(({ id }) => JSON.parse(got.get(id) ?? "null") as unknown);
      await expect.poll(answers).toEqual([read(known), { ...seen, x_threatbus_indicator: read(known) }]);
      expect(asked).toEqual([2 * 86_400, 2 * 86_400]);
      await archive.close();
    }
  });

  test("what theirs cannot read is lost to its apps alone: more than six decimals, other types, rules; what comes behind arrives", async () => {
    const { here, gotHere, gotThere, their } = await pair("unreadable");
    const nanoseconds: Stix = { ...written(), created: "2024-05-01T10:00:00.1234567Z" };
    const malware: Stix = { type: "malware", spec_version: "2.1", id: id("malware"), created: "2024-05-01T10:00:01Z", modified: "2024-05-01T10:00:01Z", is_family: false };
    const behind = written();
    for (const object of [nanoseconds, malware]) await here.publish({ topic: `stix2/${object.type}`, payload: JSON.stringify(object) });
    await here.publish({ topic: "sigma/rule", payload: "title: t\nlogsource: {category: dns}\ndetection: {s: {q: x}, condition: s}\n" });
    await here.publish(behind as never);
    await expect.poll(() => gotThere.has(behind.id)).toBe(true);
    await expect.poll(() => gotHere.has(behind.id)).toBe(true);
    expect([nanoseconds, malware].map((object) => [gotHere.get(object.id), gotThere.get(object.id)])).toEqual([nanoseconds, malware].map((object) => [JSON.stringify(object), undefined]));
    const log = await their.log();
    expect(log).toMatch(/error decoding message .*1234567Z.*must be a datetime object/);
    expect(log).toMatch(/unknown or missing 'type' field .*malware/);
    expect(log).toMatch(/error reading message .*title: t/);
  });
});

interface Pair {
  readonly our: OurHost;
  readonly their: TheirHost;
  readonly here: Client;
  readonly there: Client;
  readonly gotHere: ReadonlyMap<string, string>;
  readonly gotThere: ReadonlyMap<string, string>;
}

/** Publishes one object after another until one has arrived: a host of the reference does not tell when its port gives out to a new app. */
async function reaches(from: Client, got: ReadonlyMap<string, string>): Promise<void> {
  const sent: string[] = [];
  await expect.poll(async () => {
    const object = written();
    sent.push(object.id);
    await from.publish(object as never);
    return sent.some((each) => got.has(each));
  }, { interval: 200 }).toBe(true);
}

async function client(manage: number): Promise<Client> {
  const made = await connect({ manage, requestTimeout: 10_000 });
  onTestFinished(() => made.close());
  return made;
}

/** The text of every STIX object that a new app gets, by id. */
async function texts(manage: number, snapshot = 0): Promise<Map<string, string>> {
  const got = new Map<string, string>();
  const subscription = await (await client(manage)).subscribe("stix2/", { snapshot });
  void (async () => {
    for await (const { body, payload } of subscription) if (typeof body === "object" && "id" in body) got.set(body.id, Buffer.from(payload).toString());
  })();
  return got;
}
