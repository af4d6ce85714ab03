import { Buffer } from "node:buffer";
import type { StixObject } from "stix2-ts-types";
import type { Body, Frame, Message, SnapshotEnvelope, SnapshotRequest, Topic } from "./contract.ts";
import { formatFor, formatOf } from "./formats.ts";
import { checkValue, sizeOf } from "./json-guard.ts";
import { uuid7 } from "./uuid7.ts";

/** A message as core holds it: checked content, its other view and its id made when first asked for. */
export class Content implements Message {
  readonly topic: Topic;
  #raw: Body | undefined;
  #id: string | undefined;
  #payload: Uint8Array | undefined;
  #size: number | undefined;
  #frozen = false;

  /** @param size of a body without payload, if it is known */
  constructor(topic: Topic, body: Body, payload?: Uint8Array, id?: string, size?: number) {
    this.topic = topic;
    this.#raw = body;
    this.#payload = payload;
    this.#id = id;
    this.#size = size;
  }

  get id(): string {
    return (this.#id ??= uuid7());
  }

  get payload(): Uint8Array {
    return (this.#payload ??= Buffer.from(formatOf(this.topic).encode(this.raw), "utf8"));
  }

  /** The body before freezing, for core's own eyes: relaying never needs to freeze. */
  get raw(): Body {
    return (this.#raw ??= formatOf(this.topic).parse(this.payload) as Body);
  }

  get body(): Body {
    if (!this.#frozen) {
      deepFreeze(this.raw);
      this.#frozen = true;
    }
    return this.raw;
  }

  /** Bytes it takes in a queue: of the payload if there is one, else about as many. */
  get size(): number {
    return this.#payload?.length ?? (this.#size ??= sizeOf(this.raw));
  }

  /** Lets go of the parsed view if there are bytes to make it from again: it is several times their size, and work for the garbage collector. */
  lighten(): void {
    if (this.#payload === undefined) return;
    this.#raw = undefined;
    this.#frozen = false;
  }

  /** Withdraws an indicator: the last thing a full queue may drop. */
  get removal(): boolean {
    return typeof this.raw === "object" && (this.raw as Readonly<Record<string, unknown>>)["x_threatbus_update"] === "REMOVE";
  }
}

/**
 * A message from content that a program made: a STIX object, a snapshot request or envelope, or, with its topic, the text of a rule.
 * The object is the message's from here on: it is frozen when first read.
 * @throws ThreatbusError `MESSAGE_REFUSED` with a `reason` when the content does not pass its format's check
 */
export function message(body: StixObject | SnapshotRequest | SnapshotEnvelope): Message;
export function message(topic: "sigma/rule" | "yara/rule", text: string): Message;
export function message(given: Body, text?: string): Message {
  if (typeof given === "string") return new Content(formatOf(given).check(text), text as string);
  const size = checkValue(given);
  return new Content(formatFor(given).check(given), given, undefined, undefined, size);
}

/**
 * A message from a wire. The content decides the topic: a sighting that came as `stix2/indicator` is a `stix2/sighting`.
 * @param payload kept, not copied: it must not change afterwards
 * @throws ThreatbusError `MESSAGE_REFUSED` with a `reason`
 */
export function decodeMessage(topic: Topic, payload: Uint8Array): Message {
  return decodeFrame(topic, payload, undefined);
}

/** The content of a frame: itself if it comes from this core, else decoded and checked anew. */
export function contentOf(frame: Frame): Content {
  return frame instanceof Content ? frame : decodeFrame(frame.topic, frame.payload, frame.id === "" ? undefined : frame.id);
}

function decodeFrame(topic: Topic, payload: Uint8Array, id: string | undefined): Content {
  const format = formatOf(topic);
  const body = format.parse(payload);
  return new Content(format.check(body), body as Body, payload, id);
}

function deepFreeze(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  if (Array.isArray(value)) for (const item of value) deepFreeze(item);
  else for (const key in value) deepFreeze((value as Readonly<Record<string, unknown>>)[key]);
}
