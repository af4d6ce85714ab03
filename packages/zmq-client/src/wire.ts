import { Buffer, isUtf8 } from "node:buffer";
import type { BusMessage, Publishable } from "./messages.ts";

/** What the bus grants a subscriber. */
export interface Grant {
  /** Prefix of every frame for this subscription, and its name in requests. A secret. */
  readonly channel: string;
  readonly pubPort: number;
  readonly subPort: number;
  /** Whether frames carry sequence numbers. */
  readonly sequenced: boolean;
}

/** An answer to a request. `fields` has no prototype. */
export interface Reply {
  readonly status: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Objects and arrays inside one another; a bus stops at 64. Deeper values break whoever walks them. */
const maxDepth = 128;
const space = 0x20;

/** `undefined` if it is no reply of a bus. */
export function readReply(frames: readonly Uint8Array[]): Reply | undefined {
  const [frame] = frames;
  if (frame === undefined || frames.length !== 1) return undefined;
  const value = parseJson(frame);
  if (!isObject(value)) return undefined;
  const fields: Record<string, unknown> = Object.assign(Object.create(null) as object, value);
  return typeof fields["status"] === "string" ? { status: fields["status"], fields } : undefined;
}

/** The reply to a `subscribe` request. `undefined` if anything in it cannot be used. */
export function readGrant({ fields }: Reply): Grant | undefined {
  const { topic: channel, features } = fields;
  const pubPort = portOf(fields["pub_port"]), subPort = portOf(fields["sub_port"]);
  // An empty channel would subscribe to everybody's messages.
  if (typeof channel !== "string" || !/^[\x21-\x7e]{1,255}$/.test(channel)) return undefined;
  if (pubPort === undefined || subPort === undefined) return undefined;
  return { channel, pubPort, subPort, sequenced: Array.isArray(features) && features.includes("seq") };
}

/** The bus's own words about a refusal, made safe to show. */
export function readReason({ fields }: Reply): string | undefined {
  const reason = fields["reason"];
  return typeof reason === "string" ? reason.replace(/\p{C}/gu, " ").slice(0, 200) : undefined;
}

/** Reads `type SP payload`, what a frame holds behind its channel. A string is the reason why it cannot be used. */
export function readMessage(frame: Buffer, start: number): BusMessage | string {
  const end = frame.indexOf(space, start);
  if (end <= start || end - start > 256) return "no type";
  const payload = frame.subarray(end + 1);
  if (frame.toString("latin1", start, end) === "rule") {
    return isUtf8(payload) ? { type: "rule", body: payload.toString("utf8"), payload } : "not UTF-8";
  }
  const body = parseJson(payload);
  if (body === undefined) return "not JSON";
  if (!isObject(body) || typeof body["type"] !== "string") return "not an object with a type";
  if (body["type"] === "rule" || (body["type"] === "snapshotrequest" && !isSnapshotRequest(body))) return "not what its type says";
  return { type: body["type"], body, payload } as unknown as BusMessage;
}

/** The number in the second frame; `undefined` if it is none that can be counted with. */
export function readSequence(frame: Buffer | undefined): number | undefined {
  if (frame?.length !== 8) return undefined;
  const number = frame.readBigUInt64BE();
  return number >= 1n && number < BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : undefined;
}

/** @throws TypeError for what cannot be published, RangeError for what is too large */
export function writeMessage(message: Publishable, maxBytes: number): { topic: string; frame: Buffer } {
  const isRaw = isObject(message) && !("type" in message);
  const topic = isRaw ? message["topic"] : topicOf(message);
  if (typeof topic !== "string" || !/^[\w.-]{1,64}\/[\w.-]{1,250}$/.test(topic)) {
    throw new TypeError("a message is an object with a STIX type, or { topic, payload } with a topic like sigma/rule");
  }
  const content: unknown = isRaw ? message["payload"] : JSON.stringify(message);
  if (typeof content !== "string" && !(content instanceof Uint8Array)) throw new TypeError("payload must be a string or bytes");
  const frame = typeof content === "string" ? Buffer.from(`${topic} ${content}`) : Buffer.concat([Buffer.from(`${topic} `), content]);
  const size = frame.length - topic.length - 1;
  if (size > maxBytes) throw new RangeError(`a message of ${size} bytes is over the limit of ${maxBytes}`);
  return { topic, frame };
}

function topicOf(message: unknown): string | undefined {
  const type: unknown = isObject(message) ? message["type"] : undefined;
  if (typeof type !== "string") return undefined;
  return type === "snapshotenvelope" || type === "snapshotrequest" ? `threatbus/${type}` : `stix2/${type}`;
}

function isSnapshotRequest(body: Record<string, unknown>): boolean {
  const { snapshot_type: kind, snapshot_id: id, snapshot: seconds } = body;
  return (kind === 1 || kind === 2) && typeof id === "string" && typeof seconds === "number" && seconds >= 0;
}

function portOf(value: unknown): number | undefined {
  const port = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  return typeof port === "number" && Number.isInteger(port) && port >= 1 && port <= 65_535 ? port : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `undefined` for bytes that are not JSON, not UTF-8, or nested too deep. */
function parseJson(bytes: Uint8Array): unknown {
  if (!isUtf8(bytes) || isTooDeep(bytes)) return undefined;
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8")) as unknown;
  } catch {
    return undefined;
  }
}

function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === 0x22) {
      for (at++; at < bytes.length && bytes[at] !== 0x22; at++) if (bytes[at] === 0x5c) at++;
    } else if (byte === 0x7b || byte === 0x5b) {
      if (++depth > maxDepth) return true;
    } else if (byte === 0x7d || byte === 0x5d) depth--;
  }
  return false;
}
