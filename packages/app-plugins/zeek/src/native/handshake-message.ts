import { Buffer } from "node:buffer";
import { Reader } from "../wire/reader.ts";
import { refuse } from "../wire/refusal.ts";
import { readable } from "../wire/value.ts";
import { Writer } from "../wire/writer.ts";
import type { PeerId } from "./peer-id.ts";

/** Topics and prefixes of topics that a peer wants. */
export type Filter = readonly string[];

/** The seven messages before a peering stands (zeek/broker `libbroker/broker/internal/wire_format.hh`). */
export type HandshakeMessage =
  | { readonly type: "hello"; readonly sender: PeerId; readonly minVersion: number; readonly maxVersion: number }
  | { readonly type: "probe" }
  | { readonly type: "version_select"; readonly sender: PeerId; readonly version: number }
  | { readonly type: "drop_conn"; readonly sender: PeerId; readonly code: number; readonly reason: string }
  | { readonly type: "originator_syn"; readonly filter: Filter }
  | { readonly type: "responder_syn_ack"; readonly filter: Filter }
  | { readonly type: "originator_ack" };

const tags = { hello: 6, probe: 7, version_select: 8, drop_conn: 9, originator_syn: 10, responder_syn_ack: 11, originator_ack: 12 } as const;

/** `ZEEK` */
const magic = 0x5a45454b;
/** Of the protocol; the same from Zeek 5.0 (Broker 2.3) to 9.0. */
export const protocolVersion = 1;
/** Topics of one filter, and characters of one. Zeek never takes one out: its filter grows with every connection. */
const maxTopics = 262_144, maxTopicLength = 4_096;

/** Broker's error codes in `drop_conn` (`libbroker/broker/error.hh`; 24, 25 and 38 as seen on 8.2.0). */
export const dropCodes = { incompatible: 2, badTag: 24, badMessage: 25, shuttingDown: 28, badMagic: 38, redundant: 39, logic: 40 } as const;

/** A refusal of a peer's handshake, with the code to answer. */
export class HandshakeRefused extends Error {
  readonly code: number;

  constructor(code: number, problem: string) {
    super(problem);
    this.code = code;
  }
}

/** @throws HandshakeRefused, WireRefused */
export function decodeHandshake(frame: Buffer): HandshakeMessage {
  const reader = new Reader(frame);
  const message = read(reader);
  if (reader.left > 0) refuse(`bytes are left over behind a ${message.type}`);
  return message;
}

function read(reader: Reader): HandshakeMessage {
  switch (reader.u8()) {
    case tags.hello:
      checkMagic(reader);
      return { type: "hello", sender: reader.bytes(16).toString("hex"), minVersion: reader.u8(), maxVersion: reader.u8() };
    case tags.probe:
      checkMagic(reader);
      return { type: "probe" };
    case tags.version_select:
      checkMagic(reader);
      return { type: "version_select", sender: reader.bytes(16).toString("hex"), version: reader.u8() };
    case tags.drop_conn:
      checkMagic(reader);
      return { type: "drop_conn", sender: reader.bytes(16).toString("hex"), code: reader.u8(), reason: readable(reader.text()).slice(0, 200) };
    case tags.originator_syn:
      return { type: "originator_syn", filter: readFilter(reader) };
    case tags.responder_syn_ack:
      return { type: "responder_syn_ack", filter: readFilter(reader) };
    case tags.originator_ack:
      return { type: "originator_ack" };
    default:
      throw new HandshakeRefused(dropCodes.badTag, "invalid message type tag");
  }
}

function checkMagic(reader: Reader): void {
  if (reader.u32() !== magic) throw new HandshakeRefused(dropCodes.badMagic, "wrong magic number");
}

/** The whole frame, its length included. */
export function encodeHandshake(message: HandshakeMessage): Buffer {
  const writer = new Writer(64);
  const length = writer.gap(4);
  writer.u8(tags[message.type]);
  switch (message.type) {
    case "originator_syn":
    case "responder_syn_ack":
      writeFilter(message.filter, writer);
      break;
    case "originator_ack":
      break;
    default:
      writer.u32(magic);
      writeBody(message, writer);
  }
  writer.fillU32(length, writer.length - 4);
  return writer.take();
}

function writeBody(message: Extract<HandshakeMessage, { type: "hello" | "probe" | "version_select" | "drop_conn" }>, writer: Writer): void {
  if (message.type === "probe") return;
  writer.bytes(Buffer.from(message.sender, "hex"));
  if (message.type === "hello") {
    writer.u8(message.minVersion);
    writer.u8(message.maxVersion);
  } else if (message.type === "version_select") writer.u8(message.version);
  else {
    writer.u8(message.code);
    writer.text(message.reason);
  }
}

/** @throws WireRefused */
export function readFilter(reader: Reader): Filter {
  const topics = reader.size();
  if (topics > maxTopics || topics > reader.left) refuse(`a filter of ${topics} topics`);
  return Array.from({ length: topics }, () => {
    const topic = reader.text();
    // A topic that is no UTF-8 is none of ours; it stays in its place so that the rest can be read.
    return topic.length > maxTopicLength ? refuse("a topic is too long") : readable(topic);
  });
}

/** A filter that a peer cannot read ends its Broker for all its peers (seen on 8.2.0): nothing but counted, UTF-8 strings goes out. */
export function writeFilter(filter: Filter, writer: Writer): void {
  writer.size(filter.length);
  for (const topic of filter) writer.text(topic);
}
