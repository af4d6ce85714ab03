import { Buffer } from "node:buffer";
import { encodeValue } from "../wire/binary.ts";
import { valueOf } from "../wire/event.ts";
import { Reader } from "../wire/reader.ts";
import type { Text, Value } from "../wire/value.ts";
import { Writer } from "../wire/writer.ts";
import { type Filter, readFilter, writeFilter } from "./handshake-message.ts";
import type { PeerId } from "./peer-id.ts";

/** A message of a peering that stands (zeek/broker `envelope.cc`, `p2p_message_type.hh`). Type 2 (data stores) and unknown ones are left alone. */
export interface PeerMessage {
  readonly sender: PeerId;
  /** `nobody` for all who want the topic. */
  readonly receiver: PeerId;
  readonly type: number;
  /** Hops it may take. */
  readonly ttl: number;
  readonly topic: Text;
  /** A view into the frame. */
  readonly payload: Buffer;
}

export const messageTypes = { data: 1, command: 2, routingUpdate: 3, ping: 4, pong: 5 } as const;

/** Topic of messages between two brokers themselves. Broker before 2.8 takes no empty one. */
export const reservedTopic = "<$>";
const defaultTtl = 16;
/** Bytes of a topic: its length has 16 bits. */
const maxTopicLength = 65_535;
/** Bytes of a vector of nothing: its tag and its size. */
const emptyVector = 2;

/** @throws WireRefused */
export function decodeMessage(frame: Buffer): PeerMessage {
  const reader = new Reader(frame);
  const sender = reader.bytes(16).toString("hex"), receiver = reader.bytes(16).toString("hex");
  const type = reader.u8(), ttl = reader.u16();
  const bytes = reader.bytes(reader.u16());
  const text = bytes.toString();
  const topic = text.includes("\ufffd") && !Buffer.from(text).equals(bytes) ? Uint8Array.from(bytes) : text;
  return { sender, receiver, type, ttl, topic, payload: reader.rest() };
}

/** What stands before the payload, of messages that differ in that alone. @throws RangeError for a topic longer than 65,535 bytes */
export function messageHead({ sender, receiver, type, ttl = defaultTtl, topic }: Omit<PeerMessage, "payload" | "ttl"> & { readonly ttl?: number }): Buffer {
  const name = typeof topic === "string" ? Buffer.from(topic) : topic;
  if (name.length > maxTopicLength) throw new RangeError("a topic has 65,535 bytes at most");
  const fixed = Buffer.alloc(5);
  fixed.writeUInt8(type, 0);
  fixed.writeUInt16BE(ttl, 1);
  fixed.writeUInt16BE(name.length, 3);
  return Buffer.concat([Buffer.from(sender, "hex"), Buffer.from(receiver, "hex"), fixed, name]);
}

/** Appends the whole frame, its length included. What cannot be encoded leaves the writer as it was. @throws WireRefused */
export function writeMessage(head: Buffer, payload: (writer: Writer) => void, writer: Writer): void {
  const start = writer.length;
  try {
    const length = writer.gap(4);
    writer.bytes(head);
    payload(writer);
    writer.fillU32(length, writer.length - length - 4);
  } catch (thrown) {
    writer.truncate(start);
    throw thrown;
  }
}

/** What stands before the arguments, a vector, of an event without metadata. */
export function eventHead(name: string): Buffer {
  const writer = new Writer();
  encodeValue(valueOf({ name, args: [] }), writer);
  return writer.take().subarray(0, -emptyVector);
}

export const valuePayload = (value: Value) => (writer: Writer): void => encodeValue(value, writer);
export const filterPayload = (filter: Filter) => (writer: Writer): void => writeFilter(filter, writer);
export const rawPayload = (bytes: Uint8Array) => (writer: Writer): void => writer.bytes(bytes);

/** @throws WireRefused */
export function filterOf({ payload }: PeerMessage): Filter {
  return readFilter(new Reader(payload));
}
