/** A MISP, a bus with the plugin, and what came out. */
import { createBus, silentLogger } from "@threatbus/core";
import type { ConfiguredBackbone, Logger, ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { fakeMisp, mispFeed } from "@threatbus/testkit";
import type { FakeMisp, FakeMispOptions, MispFeed } from "@threatbus/testkit";
import { afterEach, expect } from "vitest";
import { misp } from "../src/index.ts";

type Options = NonNullable<Parameters<typeof misp>[0]>;
type Body = Readonly<Record<string, unknown>>;

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** At the end of the test, the last first. */
export function atEnd(end: () => unknown): void {
  ends.push(end);
}

export interface Stand {
  readonly bus: ThreatBus;
  readonly feed: MispFeed;
  readonly api: FakeMisp;
  /** Indicators and sightings, as they came. */
  readonly got: Body[];
  readonly log: { readonly level: string; readonly text: string; readonly fields: unknown }[];
  /** A metric, by the value of its one label. */
  count(name: string): Readonly<Record<string, number>>;
  /** `ADD [pattern]` of each indicator. */
  patterns(): string[];
}

/** Everything of the API: REST alone, or with a feed. */
export async function stand(options: Omit<Options, "zmq" | "api"> & { api?: Partial<Options["api"]>; zmq?: Partial<Options["zmq"]> | false } = {}, given: { api?: FakeMisp; feed?: MispFeed; of?: FakeMispOptions; backbone?: ConfiguredBackbone } = {}): Promise<Stand> {
  const feed = given.feed ?? (await mispFeed());
  const api = given.api ?? (await fakeMisp({ feed, ...given.of }));
  if (given.api === undefined) atEnd(() => api.stop());
  if (given.feed === undefined) atEnd(() => feed.stop());
  const log: Stand["log"] = [];
  const record = (level: string) => (text: string, fields: unknown) => void log.push({ level, text, fields });
  const logger: Logger = { ...silentLogger, info: record("info"), warn: record("warn"), error: record("error") };
  const { zmq, api: rest, ...others } = options;
  const app = misp({ ...others, api: { host: api.url, key: api.key, ...rest }, ...(zmq !== false && { zmq: { host: "127.0.0.1", port: feed.port, ...zmq } }) });
  const bus = createBus({ backbones: [given.backbone ?? inmem()], apps: [app], logger, drainTimeout: 500 });
  atEnd(() => bus.stop().catch(() => undefined));
  const got: Body[] = [];
  await bus.subscribe(["stix2/indicator", "stix2/sighting"], ({ body }) => void got.push(body as unknown as Body));
  await bus.start();
  if (zmq !== false) await feed.joined("misp_json_self", ...(zmq?.topics ?? ["misp_json_attribute"]).map((topic) => (topic === "misp_json" ? "misp_json " : topic)));
  const samples = (): NonNullable<ReturnType<ThreatBus["stats"]>["plugins"][string]> => bus.stats().plugins["misp"] ?? [];
  return {
    bus, feed, api, got, log,
    count: (name) => Object.fromEntries(samples().filter((sample) => sample.name === name).map(({ labels, value }) => [Object.values(labels)[0] ?? "", value])),
    patterns: () => got.filter(({ type }) => type === "indicator").map(({ x_threatbus_update: update = "ADD", pattern }) => `${String(update)} ${String(pattern)}`),
  };
}

/** In one process, but for what it rejects. */
export function refusing(refuses: () => boolean): ConfiguredBackbone {
  const inner = inmem();
  return {
    ...inner,
    create(host) {
      const backbone = inner.create(host);
      return { ...backbone, publish: async (frame) => (refuses() ? Promise.reject(new Error("no room")) : backbone.publish(frame)) };
    },
  };
}

/** Everything said by MISP went somewhere. */
export function expectBalanced({ count }: Stand): void {
  const sum = (name: string): number => Object.values(count(name)).reduce((total, value) => total + value, 0);
  expect(sum("misp_received")).toBe(sum("misp_mapped") + sum("misp_handled") + sum("misp_skipped") + sum("misp_refused"));
}
