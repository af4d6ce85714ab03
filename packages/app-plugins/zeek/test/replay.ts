/** Plays the side of Zeek in a recording against the plugin's parts, over real TCP, cut into other pieces than it came in. */
import { createBus, systemClock } from "@threatbus/core";
import type { ThreatBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { fakeHost, type FakeHost, freePort, seeded } from "@threatbus/testkit";
import type { Sighting } from "stix2-ts-types";
import { onTestFinished } from "vitest";
import { Members } from "../src/members.ts";
import type { Terms } from "../src/native/conversation.ts";
import { dialler } from "../src/native/dialler.ts";
import { decodeHandshake, encodeHandshake } from "../src/native/handshake-message.ts";
import { Listener } from "../src/native/listener.ts";
import { decodeMessage, filterOf, filterPayload, messageHead, messageTypes, rawPayload, valuePayload, writeMessage } from "../src/native/message.ts";
import { options as schema } from "../src/options.ts";
import { Troubles } from "../src/troubles.ts";
import { decodeValue } from "../src/wire/binary.ts";
import { eventOf, valueOf } from "../src/wire/event.ts";
import { string, type Value } from "../src/wire/value.ts";
import { Writer } from "../src/wire/writer.ts";
import { bytesOf, type Line } from "./captures.ts";
import type { FakeZeek } from "./fake-zeek.ts";

export interface Parts {
  readonly bus: ThreatBus;
  readonly host: FakeHost<typeof systemClock>;
  readonly sightings: Sighting[];
  readonly terms: Terms;
  readonly listen: () => Promise<number>;
  readonly dial: (port: number) => void;
}

/** The plugin's parts with the id and the filter of a recorded peer, so that its bytes can be compared. */
export async function parts(self: string, filter: readonly string[], namespace = "Tenzir"): Promise<Parts> {
  const host = fakeHost({ clock: systemClock, name: "zeek" });
  const bus = createBus({ backbones: [inmem()], logger: host.logger, drainTimeout: 100 });
  await bus.start();
  const troubles = new Troubles(host);
  const options = schema.parse({ module_namespace: namespace });
  const members = new Members(bus, host, options, troubles);
  const terms: Terms = { self, filter, host, troubles, reception: members, maxFrame: options.max_frame_size, handshakeTimeout: 5_000 };
  const ending: (() => Promise<void>)[] = [];
  onTestFinished(async () => {
    host.stopping.abort();
    for (const end of ending) await end();
    await members.stop();
    await bus.stop().catch(() => undefined);
  });
  const sightings: Sighting[] = [];
  await bus.subscribe("stix2/sighting", ({ body }) => void sightings.push(body as Sighting));
  return {
    bus, host, sightings, terms,
    async listen() {
      const port = await freePort();
      const listener = new Listener({ address: "127.0.0.1", port, credentials: {}, maxConnections: 10, terms });
      await listener.start();
      ending.push(() => listener.stop());
      return port;
    },
    dial(port) {
      const redialler = dialler({ host: "127.0.0.1", port, terms });
      redialler.start();
      ending.push(() => redialler.stop());
    },
  };
}

const random = seeded(Number(process.env["THREATBUS_TEST_SEED"] ?? 4_711));

/** Writes bytes in pieces of random lengths, one each turn of the event loop, whatever frames they hold. */
export async function dribble(zeek: FakeZeek, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + Math.floor(random() * (random() < 0.5 ? 8 : 2 * bytes.length));
    zeek.socket.write(bytes.subarray(at, at + length));
    at += length;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The topics that the recorded peer granted, and those granted now in their place. */
export class Renamed {
  readonly #topics = new Map<string, string>();

  set(recorded: string, now: string): void {
    this.#topics.set(recorded, now);
  }

  back(text: string): string {
    return [...this.#topics].find(([, now]) => now === text)?.[0] ?? text;
  }

  now(text: string): string {
    return this.#topics.get(text) ?? text;
  }
}

/** A frame (with its length) whose topics, filters and string arguments are renamed. Handshakes and what is none of these stay as they are. */
export function rename(frame: Buffer, standing: boolean, name: (text: string) => string): Buffer {
  if (!standing) {
    const message = decodeHandshake(frame.subarray(4));
    return encodeHandshake("filter" in message ? { ...message, filter: message.filter.map(name) } : message);
  }
  const message = decodeMessage(frame.subarray(4));
  const writer = new Writer();
  const topic = typeof message.topic === "string" ? name(message.topic) : message.topic;
  const event = message.type === messageTypes.data ? eventOf(decodeValue(message.payload)) : undefined;
  const payload = () => {
    if (message.type === messageTypes.routingUpdate) return filterPayload(filterOf(message).map(name));
    if (event === undefined) return rawPayload(message.payload);
    return valuePayload(valueOf({ ...event, args: event.args.map((value): Value => (value.type === "string" && typeof value.value === "string" ? string(name(value.value)) : value)) }));
  };
  writeMessage(messageHead({ ...message, topic }), payload(), writer);
  return writer.take();
}

/** What of a recording came from one side on one connection. */
export function framesOf(lines: readonly Line[], conn: number, from: Line["from"]): Buffer[] {
  return lines.filter((line) => line.conn === conn && line.from === from && line.hex !== undefined && line.incomplete !== true).map(bytesOf);
}
