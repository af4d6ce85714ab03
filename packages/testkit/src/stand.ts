import { randomUUID } from "node:crypto";
import { systemClock, type Backbone, type Clock, type Deliver, type Frame } from "@threatbus/core";
import { limitsOf, type BackboneSubject } from "./backbone-subject.ts";
import { fakeHost, type FakeHost } from "./host.ts";
import { eventually, frameId, within } from "./suite.ts";

/** One backbone on a host of its own, and the frames that reached it. */
export interface Stand {
  readonly backbone: Backbone;
  readonly host: FakeHost<Clock>;
  readonly frames: readonly Frame[];
  /** Milliseconds. */
  readonly patience: number;
  /** Starts and subscribes to everything. `deliver` sees each frame after it was recorded. */
  start(deliver?: Deliver): Promise<void>;
}

export type Open = (world?: string) => Promise<Stand>;

/** Runs `body` with as many stands as it opens, by default all in one world, and stops them whatever happens. */
export async function withStands(subject: BackboneSubject, body: (open: Open) => Promise<void>): Promise<void> {
  const { patience } = limitsOf(subject);
  const world = newWorld();
  const stands: Stand[] = [];
  try {
    await body(async (at = world) => {
      const stand = await openStand(subject, at, patience);
      stands.push(stand);
      return stand;
    });
  } finally {
    for (const { host } of stands) host.stopping.abort();
    await Promise.allSettled(stands.map(({ backbone }) => within(backbone.stop(), patience, "stop")));
  }
}

export function newWorld(): string {
  return `threatbus-test-${randomUUID()}`;
}

async function openStand(subject: BackboneSubject, world: string, patience: number): Promise<Stand> {
  const configured = await subject.create(world);
  const host = fakeHost({ name: configured.name, clock: systemClock });
  const backbone = configured.create(host);
  const frames: Frame[] = [];
  return {
    backbone,
    host,
    frames,
    patience,
    async start(deliver = async () => undefined) {
      const record: Deliver = (frame) => {
        frames.push(frame);
        return deliver(frame);
      };
      await within(backbone.start(record, AbortSignal.timeout(patience)), patience, "start");
      for (const prefix of ["stix2/", "sigma/", "threatbus/"]) await backbone.subscribe?.(prefix);
    },
  };
}

export function frameOf(text: string | Uint8Array, topic: string = "stix2/indicator"): Frame {
  return { topic, id: frameId(), payload: typeof text === "string" ? new TextEncoder().encode(text) : text };
}

export async function stopped({ backbone, patience }: Stand): Promise<void> {
  await within(backbone.stop(), patience, "stop");
}

/** Publishes on one stand and waits for the frame on the other. */
export async function arrives(at: Stand, from: Stand, frame: Frame): Promise<void> {
  await from.backbone.publish(frame);
  await eventually(() => at.frames.filter(({ id }) => id === frame.id).map(plain), [plain(frame)], at.patience);
}

/** Compared as text, so that a difference in a megabyte does not fill the screen with arrays. */
export function plain({ topic, id, payload }: Frame): object {
  return { topic, id, payload: Buffer.from(payload).toString("base64") };
}

export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function newGate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
