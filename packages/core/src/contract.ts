/**
 * What core, backbones and apps promise each other. Types only; docs/contract.md tells the same as a story.
 *
 * A **frame** is what travels between hosts. A **message** is a frame with its content understood. A **backbone** moves
 * frames. An **app** speaks to one tool. A **host** is one process with one bus.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Indicator, Sighting, StixObject } from "stix2-ts-types";

/** `<format>/<type>`, e.g. `stix2/indicator` or `sigma/rule`. */
export type Topic = string;

/** One message on its way between hosts. */
export interface Frame {
  /** `""` if the sender named none: then the `type` inside decides. */
  readonly topic: Topic;
  /** Unique per accepted message, not per content: UUIDv7. Backbones carry it so that redeliveries can be told; `""` if the sender gave none. */
  readonly id: string;
  /** The content as it stands on every wire. Not to be changed. */
  readonly payload: Uint8Array;
}

/**
 * Hands a frame from the backbone to the host. Resolves when every matching subscription is done with it (handled, refused
 * or dropped, each counted; or lagging, see `ackHold`): that is the acknowledgement. Rejects when this host did not take it: with code
 * `MESSAGE_REFUSED` it never will (undecodable: dead-letter it), with any other the frame may be offered again, with
 * `BUS_NOT_RUNNING` to another host or another life of this one.
 */
export type Deliver = (frame: Frame) => Promise<void>;

/** Moves frames. Called in this order: `start`, then `publish`/`subscribe`/`unsubscribe` at will, then `stop`. */
export interface Backbone {
  /**
   * Resolves when frames can flow; may be called again after it rejected. `signal` ends the attempt, not the connection:
   * from then on the backbone reconnects by itself, with capped exponential back-off and jitter.
   */
  start(deliver: Deliver, signal: AbortSignal): Promise<void>;
  /** Resolves once the broker, not this process, answers for the frame. Frames reach `deliver` on every host, this one included. */
  publish(frame: Frame): Promise<void>;
  /**
   * Told of the first subscription to a prefix, and of the last one's end. Leave both out if the broker cannot filter;
   * delivering more than asked is allowed, core matches again.
   */
  subscribe?(prefix: string): Promise<void>;
  unsubscribe?(prefix: string): Promise<void>;
  /**
   * Looks at what the plugin talks to, with the options it was made with, and tells what it finds, good and bad, as it goes. Called on an instance that is
   * never started; takes nothing, changes nothing, and frees every handle. `signal` ends the waiting: then tell what did not come. Leave out
   * if there is nothing to look at.
   */
  probe?(signal: AbortSignal): AsyncIterable<Finding>;
  /** Stops intake, waits for deliveries in flight, frees every handle. Twice is harmless. */
  stop(): Promise<void>;
}

/** One thing a probe found. `text` and `hint` are the plugin's own words, or quote others in short. */
export interface Finding {
  /** `warning`: it works, but not as well as it could. `problem`: it does not work. */
  readonly status: "ok" | "warning" | "problem";
  readonly text: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Speaks to one tool. Called in this order: `start`, then `snapshot` at will, then `stop`. */
export interface App {
  /** Resolves when ready to serve. Rejecting ends the start of the whole bus. */
  start(bus: Bus): Promise<void>;
  /**
   * Yields the objects of a time span, newest or oldest first as the tool gives them. Pulled no faster than the asker takes them.
   * `signal` ends it early. Throwing ends this app's part of the answer, no more. Leave out if the app keeps no history.
   */
  snapshot?(request: SnapshotRequest, signal: AbortSignal): AsyncIterable<StixObject>;
  /**
   * As that of a backbone: looks at the tool, with the options it was made with, and tells what it finds.
   */
  probe?(signal: AbortSignal): AsyncIterable<Finding>;
  /**
   * Frees every handle. Called after `host.signal` fired (from then on take nothing in) and the app's subscriptions drained
   * (until then keep giving out). Twice is harmless.
   */
  stop(): Promise<void>;
}

/** All an app may ask of core. */
export interface Bus {
  /**
   * Resolves once every backbone has taken the message. Waits while a matching local subscription with policy `block` is full.
   * @throws ThreatbusError `BUS_NOT_RUNNING`, `BACKBONE_FAILED`
   */
  publish(message: Message): Promise<void>;
  /**
   * Calls `handle` for every message whose topic starts with `topic` (or one of several; `""` is all but `threatbus/…`, which
   * must be named). One message at a time, in the order taken, each at most once, until `close()`.
   * The handler's promise is the acknowledgement: resolved is delivered, rejected is refused (counted and logged, not repeated).
   */
  subscribe(topic: Topic | readonly Topic[], handle: Handler, options?: SubscribeOptions): Promise<Subscription>;
}

/** Returning nothing acknowledges at once. */
export type Handler = (message: Message) => Promise<void> | void;

/**
 * A frame understood. `payload` and `body` are two views of one content, each made on first use and then kept; only a message far back in
 * a long queue keeps nothing but its bytes, and is parsed once more if anyone asks.
 */
export interface Message extends Frame {
  /** Parsed and checked; frozen. */
  readonly body: Body;
}

/** STIX objects for `stix2/…`, text for `sigma/rule` and `yara/rule`, the two below for `threatbus/…`. */
export type Body = StixObject | string | SnapshotRequest | SnapshotEnvelope;

/** Asks every host for the history of a time span. */
export interface SnapshotRequest {
  readonly type: "snapshotrequest";
  readonly snapshot_type: SnapshotType;
  /** Chosen by the asker; answers carry it. */
  readonly snapshot_id: string;
  /** How far back, in seconds. */
  readonly snapshot: number;
}

/** One object of an answer. */
export interface SnapshotEnvelope {
  readonly type: "snapshotenvelope";
  readonly snapshot_type: SnapshotType;
  readonly snapshot_id: string;
  readonly body: Indicator | Sighting;
}

/** 1 indicators, 2 sightings. */
export type SnapshotType = 1 | 2;

export interface SubscribeOptions {
  /** Shown in logs, `stats()` and `/metrics`. Default: the app's name and a number. */
  readonly name?: string;
  /** Also ask every host for the history of this many seconds, delivered as ordinary messages. Default 0: none. */
  readonly snapshot?: number;
  readonly queue?: Partial<QueueLimits>;
}

/** What a subscription may hold while its handler is busy. */
export interface QueueLimits {
  /** Messages. Default 10,000. */
  readonly maxItems: number;
  /** Bytes of payload. Default 64 MiB. */
  readonly maxBytes: number;
  /**
   * What happens when full. Indicator removals (`x_threatbus_update: "REMOVE"`) are the last to be dropped.
   * - `drop_oldest` (default): the oldest waiting message goes.
   * - `drop_newest`: the arriving message goes.
   * - `conflate`: as `drop_oldest`, and a newer version of a waiting indicator takes its place at any time (`superseded`).
   * - `block`: publishers on this host wait; frames from a broker stay unacknowledged.
   * - `disconnect`: the subscription ends and what waited is dropped.
   */
  readonly overflow: Overflow;
  /**
   * Milliseconds that a message from a broker may wait here unacknowledged. If the oldest waits longer, all that wait are acknowledged, and
   * what comes is at once, until the subscription has caught up: a broker hands out only so much, and slow is slow alone. Not with
   * `block`. Default 30,000.
   */
  readonly ackHold: number;
}

export type Overflow = "drop_oldest" | "drop_newest" | "conflate" | "block" | "disconnect";

export interface Subscription {
  readonly name: string;
  readonly topics: readonly Topic[];
  /** Ids of the snapshots this subscription asked for and still waits for. */
  readonly snapshots: ReadonlySet<string>;
  readonly stats: SubscriptionStats;
  /** Resolves when the subscription has ended: by `close`, by the bus, or by overflow with policy `disconnect`. */
  readonly closed: Promise<void>;
  /**
   * Ends it: nothing is handled any more, what waits is dropped (`closed`), the handler under way is waited for. Twice is harmless.
   * In its own handler call it without awaiting: the two would wait for each other.
   */
  close(): Promise<void>;
}

/** `received = delivered + refused + superseded + Σ dropped + waiting`, at every instant. */
export interface SubscriptionStats {
  readonly name: string;
  readonly topics: readonly Topic[];
  readonly received: number;
  readonly delivered: number;
  readonly refused: number;
  readonly superseded: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  /** In the queue or in the handler's hands. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** History objects that had already arrived, live or in another answer. Not part of `received`. */
  readonly repeated: number;
  /** Of `received`, those acknowledged to their broker while they still waited here, see `ackHold`: lost if the process dies meanwhile. */
  readonly ackedEarly: number;
}

export type DropReason = "overflow" | "budget" | "closed" | "shutdown";

/** What a plugin gets from the process around it. Nothing is global. */
export interface Host {
  /** The plugin's name in this bus. */
  readonly name: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Fires when the bus begins to stop: take in nothing more, keep giving out until `stop()`. */
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
}

/** `fields` are data: a logger encodes them, so they may hold anything from outside. `text` is the plugin's own words. */
export interface Logger {
  debug(text: string, fields?: Fields): void;
  info(text: string, fields?: Fields): void;
  warn(text: string, fields?: Fields): void;
  error(text: string, fields?: Fields): void;
}
export type Fields = Readonly<Record<string, unknown>>;

export interface Clock {
  /** Milliseconds since 1970-01-01 UTC. */
  now(): number;
  /** Resolves after `ms`, at once when `signal` fires; it never rejects and never keeps the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Metrics {
  /** A number that only grows. The same name and labels give the same counter. */
  counter(name: string, labels?: Readonly<Record<string, string>>): Counter;
  /** A number read when asked for. */
  gauge(name: string, read: () => number): void;
}
export interface Counter {
  readonly value: number;
  add(n?: number): void;
}

/** What a plugin package exports as default: callable with its options, carrying what a loader needs to know. */
export interface Plugin<Kind extends PluginKind, Options> {
  (options?: Options): Configured<Kind>;
  readonly kind: Kind;
  /** The key of the configuration file. */
  readonly name: string;
  /** Revision of this contract the plugin was written for. */
  readonly contract: 1;
  readonly options?: StandardSchemaV1<unknown, unknown>;
}
export type BackbonePlugin<Options = unknown> = Plugin<"backbone", Options>;
export type AppPlugin<Options = unknown> = Plugin<"app", Options>;
export type PluginKind = "backbone" | "app";

/** A plugin with its options checked: what `createBus` takes. */
export interface Configured<Kind extends PluginKind = PluginKind> {
  readonly kind: Kind;
  readonly name: string;
  create(host: Host): Kind extends "backbone" ? Backbone : App;
}
export type ConfiguredBackbone = Configured<"backbone">;
export type ConfiguredApp = Configured<"app">;
