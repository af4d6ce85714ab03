import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeHandshake, encodeHandshake } from "../src/native/handshake-message.ts";
import { decodeMessage, filterOf, filterPayload, messageHead, messageTypes, rawPayload, valuePayload, writeMessage } from "../src/native/message.ts";
import type { PeerMessage } from "../src/native/message.ts";
import { decodeValue, encodeValue } from "../src/wire/binary.ts";
import { eventOf, valueOf } from "../src/wire/event.ts";
import { decodeJson } from "../src/wire/json.ts";
import { encodeJson } from "../src/wire/json-print.ts";
import type { Value } from "../src/wire/value.ts";
import { Writer } from "../src/wire/writer.ts";
import { bytesOf, capture, messageOf, nativeCaptures, wsCaptures } from "./captures.ts";
import type { Line } from "./captures.ts";

/** Decodes frames and encodes them again; knows which connections have their handshake behind them. */
function repeater(): (line: Line) => Buffer {
  const standing = new Set<number>();
  return (line) => {
    const body = bytesOf(line).subarray(4);
    if (standing.has(line.conn)) return operational(body);
    const message = decodeHandshake(body);
    if (message.type === "originator_ack") standing.add(line.conn);
    return encodeHandshake(message);
  };
}

function operational(body: Buffer): Buffer {
  const message = decodeMessage(body);
  const writer = new Writer();
  writeMessage(messageHead(message), payloadOf(message), writer);
  return writer.take();
}

function payloadOf(message: PeerMessage): (writer: Writer) => void {
  if (message.type === messageTypes.routingUpdate) return filterPayload(filterOf(message));
  if (message.type !== messageTypes.data) return rawPayload(message.payload);
  const value = decodeValue(message.payload);
  const event = eventOf(value);
  return valuePayload(event === undefined ? value : valueOf(event));
}

/** Recordings where the peer is a Broker, and its lines whole frames. */
const peerIsBroker: ReadonlySet<string> = new Set(["native-zeek-dials-threatbus", "native-peer-dials-zeek", "native-zeek-reconnects", "native-all-types"]);

describe("every native frame of a real Zeek decodes, and encodes again to the same bytes", () => {
  it.each(nativeCaptures)("%s", (name) => {
    const again = repeater();
    let seen = 0;
    for (const line of capture(name).filter(({ hex, incomplete }) => hex !== undefined && incomplete !== true)) {
      // In the recordings of wrong input the peer's lines are what it wrote, not always frames; but its last handshake message tells that the peering stands.
      if (line.from === "peer" && !peerIsBroker.has(name)) {
        if (line.hex === "000000010c") again(line);
        continue;
      }
      expect(again(line).toString("hex"), `n=${line.n}`).toBe(line.hex);
      seen++;
    }
    expect(seen).toBeGreaterThan(4);
  });
});

interface Expected {
  readonly args: readonly { readonly name: string; readonly wire_hex: string; readonly decoded: Decoded }[];
}
interface Decoded {
  readonly type: string;
  readonly value?: unknown;
  readonly hex?: string;
  readonly bits?: string;
}

function plain(value: Value): Decoded {
  switch (value.type) {
    case "none":
      return { type: "none" };
    case "count": case "integer": case "timestamp": case "timespan":
      return { type: value.type, value: String(value.value) };
    case "string":
      return typeof value.value === "string" ? { type: "string", value: value.value } : { type: "string", hex: Buffer.from(value.value).toString("hex") };
    case "port":
      return { type: "port", value: `${value.value}/${value.protocol}` };
    case "set": case "vector":
      return { type: value.type, value: value.value.map(plain) };
    case "table":
      return { type: "table", value: value.value.map(([key, item]) => ({ key: plain(key), value: plain(item) })) };
    default:
      return { type: value.type, value: value.value };
  }
}

describe("one value of every kind", () => {
  const { args } = JSON.parse(readFileSync(new URL("captures/native-all-types.expected.json", import.meta.url), "utf8")) as Expected;

  it.each(args)("$name $wire_hex", ({ wire_hex, decoded }) => {
    const value = decodeValue(Buffer.from(wire_hex, "hex"));
    if (value.type === "real") {
      const named = { inf: Infinity, "-inf": -Infinity, nan: NaN }[String(decoded.value).split(" ")[0] ?? ""];
      expect(value.value).toBe(named ?? Number(decoded.value));
    } else expect(plain(value)).toEqual(decoded);
    const writer = new Writer();
    encodeValue(value, writer);
    expect(writer.take().toString("hex")).toBe(wire_hex);
  });

  it("is the same in JSON, but for what JSON loses", () => {
    const native = args.map(({ wire_hex }) => decodeValue(Buffer.from(wire_hex, "hex")));
    const line = capture("ws-cluster-broker-backend").find(({ n }) => n === 21);
    const message = decodeJson(messageOf(line as never));
    const event = message.type === "data-message" ? eventOf(message.value) : undefined;
    const lost = (value: Value): unknown => (value.type === "timestamp" ? { type: "timestamp" } : plain(value));
    expect(event?.args.map(lost)).toEqual(native.map(lost));
  });
});

describe("every JSON message of a real Zeek decodes, and encodes again to the same bytes", () => {
  it.each(wsCaptures)("%s", (name) => {
    const lines = capture(name).filter(({ from, kind }) => from === "zeek" && kind === "text");
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      const bytes = messageOf(line);
      const message = decodeJson(bytes);
      if (message.type === "data-message") expect(encodeJson(message.topic, message.value, { raw: true }).toString("latin1"), `n=${line.n}`).toBe(bytes.toString("latin1"));
      else if (message.type === "ack") expect(`{"type":"ack","endpoint":"${message.endpoint}","version":"${message.version}"}`).toBe(bytes.toString());
      else expect(`{"type":"error","code":"${message.code}","context":"${message.context}"}`).toBe(bytes.toString());
    }
  });
});
