import { afterEach, expect } from "vitest";
import { type Client, connect, type ConnectOptions, ZmqClientError } from "../src/index.ts";
import { FakeBus, type FakeBusOptions } from "./fake-bus.ts";

const buses: FakeBus[] = [], clients: Client[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  for (const bus of buses.splice(0)) bus.kill();
});

/** A bus that ends with the test. */
export async function busWith(options?: FakeBusOptions): Promise<FakeBus> {
  const bus = await FakeBus.start(options);
  buses.push(bus);
  return bus;
}

/** A client that ends with the test. */
export async function join(bus: FakeBus, options: ConnectOptions = {}): Promise<Client> {
  const client = await connect({ manage: bus.port, requestTimeout: 2_000, heartbeatInterval: 200, ...options });
  clients.push(client);
  return client;
}

/** From then on what the bus sends arrives. */
export const attached = (bus: FakeBus, channel: string = bus.channel): Promise<unknown> =>
  expect.poll(() => bus.attached.has(channel)).toBe(true);

export const indicator = (n: number): string => JSON.stringify({ type: "indicator", id: `indicator--${n}` });

/** Ids of the next messages. Ends the subscription. */
export async function take(messages: AsyncIterable<{ body: unknown }>, count: number): Promise<string[]> {
  const ids: string[] = [];
  for await (const { body } of messages) {
    ids.push((body as { id: string }).id);
    if (ids.length === count) break;
  }
  return ids;
}

export const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(() => "no error", (error: unknown) => (error instanceof ZmqClientError ? error.code : error));

