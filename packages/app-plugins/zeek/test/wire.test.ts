import fc from "fast-check";
import { describe, expect, it, onTestFinished, test, vi } from "vitest";
import { FrameSplitter } from "../src/native/framing.ts";
import { decodeHandshake, encodeHandshake, type HandshakeMessage } from "../src/native/handshake-message.ts";
import { decodeMessage, eventHead, messageHead, rawPayload, valuePayload, writeMessage } from "../src/native/message.ts";
import { isMapped, maskSubnet, parseAddress, parseSubnet, printAddress, printSubnet } from "../src/wire/address.ts";
import { decodeValue, encodeValue } from "../src/wire/binary.ts";
import { eventOf, unwrap, valueOf } from "../src/wire/event.ts";
import { decodeJson } from "../src/wire/json.ts";
import { parseZeekJson } from "../src/wire/json-text.ts";
import { encodeJson } from "../src/wire/json-print.ts";
import { WireRefused } from "../src/wire/refusal.ts";
import { parseSpan, parseTime, printSpan, printTime, stixTime, zoneOf } from "../src/wire/time.ts";
import { maxUint64, none, string, type Value, vector } from "../src/wire/value.ts";
import { Writer } from "../src/wire/writer.ts";
import { scaled } from "./eventually.ts";
import { values } from "./values.ts";

function binary(value: Value): Buffer {
  const writer = new Writer(1);
  encodeValue(value, writer);
  return writer.take();
}

describe("values", () => {
  test("come out of the binary format as they went in", () => {
    fc.assert(fc.property(values(), (value) => {
      const bytes = binary(value);
      const again = decodeValue(bytes);
      expect(again).toEqual(value);
      expect(binary(again)).toEqual(bytes);
    }), { numRuns: scaled(1_000) });
  });

  test("come out of JSON as they went in, in both styles", () => {
    fc.assert(fc.property(values(true), fc.boolean(), (value, raw) => {
      expect(decodeJson(encodeJson("topic", value, { raw, decimals: 9 }))).toEqual({ type: "data-message", topic: "topic", value });
    }), { numRuns: scaled(1_000) });
  });

  test("raw JSON keeps bytes and what is no number", () => {
    const value = vector([string(Uint8Array.of(0x80, 0x22, 0x5c, 0xff)), { type: "real", value: Infinity }, { type: "real", value: -Infinity }, { type: "real", value: NaN }]);
    expect(decodeJson(encodeJson(Uint8Array.of(0xfe), value, { raw: true }))).toEqual({ type: "data-message", topic: Uint8Array.of(0xfe), value });
  });

  it.each([
    { type: "count", value: -1n }, { type: "count", value: maxUint64 + 1n }, { type: "integer", value: 2n ** 63n }, { type: "timestamp", value: -(2n ** 63n) - 1n },
    { type: "address", value: "1.2.3" }, { type: "address", value: "fe80::1%eth0" }, { type: "subnet", value: "1.2.3.4" }, { type: "subnet", value: "1.2.3.4/33" }, { type: "subnet", value: "::/129" },
    { type: "port", value: 65_536, protocol: "tcp" }, { type: "port", value: 1.5, protocol: "tcp" },
  ] as Value[])("that are none of their type do not go out: %o", (value) => expect(() => binary(value)).toThrow(WireRefused));

  it.each(["inf", "nan"])("of no finite number do not go out as JSON for Zeek: %s", (name) => {
    expect(() => encodeJson("x", { type: "real", value: name === "nan" ? NaN : Infinity })).toThrow(WireRefused);
  });

  test("a whole number of type real has its point", () => expect(String(encodeJson("x", { type: "real", value: 3 }))).toContain('"data":3.000000'));
  test("JSON for Zeek is UTF-8 and RFC 8259, whatever a string holds", () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array()), (value) => {
      expect(() => void JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(encodeJson("x", string(value))))).not.toThrow();
    }), { numRuns: scaled(500) });
  });

  it.each([
    ["nested too deep", Buffer.concat([...Array.from({ length: 40 }, () => Buffer.from("0e01", "hex")), Buffer.of(0)])],
    ["longer than it says", Buffer.from("0501", "hex")], ["more items than bytes", Buffer.from("0effffffff0f", "hex")], ["a length of 33 bits", Buffer.from("05ffffffff1f", "hex")],
    ["a length of six bytes", Buffer.from("05808080808000", "hex")], ["an unknown type", Buffer.from("0f", "hex")], ["a protocol beyond icmp", Buffer.from("08000004", "hex")],
    ["a boolean of 2", Buffer.from("0102", "hex")], ["a subnet of 129 bits", Buffer.from(`07${"00".repeat(16)}81`, "hex")], ["an enum that is no UTF-8", Buffer.from("0b01ff", "hex")],
    ["bytes behind it", Buffer.from("0000", "hex")], ["too many values", Buffer.concat([Buffer.from("0e808040", "hex"), Buffer.alloc(1_048_576)])], ["nothing", Buffer.alloc(0)],
  ])("that are refused: %s", (_, bytes) => expect(() => decodeValue(bytes)).toThrow(WireRefused));
});

test("a string of escapes is put together in one piece of memory, not one for each", () => {
  const letters = ["\\n", "\\u00e9", "\\ud83d\\ude00", "x"], bytes = Buffer.from(`["${letters.join("").repeat(10_000)}","\\t"]`);
  const made = [vi.spyOn(Buffer, "from"), vi.spyOn(Buffer, "allocUnsafe"), vi.spyOn(Buffer, "concat"), vi.spyOn(bytes, "subarray")];
  onTestFinished(() => void vi.restoreAllMocks());
  expect(parseZeekJson(bytes)).toEqual(["\n\u00e9\u{1f600}x".repeat(10_000), "\t"]);
  expect(made.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeLessThan(10);
});

describe("a writer", () => {
  test("keeps no memory that one long message took", () => {
    const writer = new Writer(64);
    writer.bytes(Buffer.alloc(1_048_576));
    expect(writer.take()).toHaveLength(1_048_576);
    writer.u8(1);
    expect(writer.take().buffer.byteLength).toBeLessThan(1_048_576);
  });
  test("puts one message behind the other, and none over another", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 20 }), (messages) => {
      const writer = new Writer(64);
      const taken = messages.map((message) => {
        writer.bytes(message);
        return writer.take();
      });
      expect(taken.map((bytes) => [...bytes])).toEqual(messages.map((bytes) => [...bytes]));
    }), { numRuns: scaled(200) });
  });
});

describe("events", () => {
  test("with metadata, empty metadata and none", () => {
    for (const metadata of [undefined, [], [vector([{ type: "count", value: 1n }, { type: "timestamp", value: 5n }])]]) {
      const event = { name: "Tenzir::x", args: [none], ...(metadata !== undefined && { metadata }) };
      expect(eventOf(valueOf(event))).toEqual(event);
    }
  });
  test("are the same bytes behind a head that was encoded before", () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), fc.array(values(), { maxLength: 5 }), (name, args) => {
      const writer = new Writer(1);
      writer.bytes(eventHead(name));
      valuePayload(vector(args))(writer);
      expect(writer.take()).toEqual(binary(valueOf({ name, args })));
    }), { numRuns: scaled(200) });
  });
  test("of another kind are none", () => expect(eventOf(vector([{ type: "count", value: 1n }, { type: "count", value: 2n }, none]))).toBeUndefined());
  it.each([none, vector([]), vector([{ type: "count", value: 2n }, { type: "count", value: 1n }]), vector([{ type: "count", value: 1n }, { type: "count", value: 1n }, vector([none])])])("that are refused", (value) => expect(() => eventOf(value)).toThrow(WireRefused));
  test("doubly wrapped values are unwrapped, wherever they stand", () => {
    const wrap = (value: Value): Value => vector([vector([string("zeek::Broker::detail::DataVal"), value])]);
    expect(unwrap({ type: "table", value: [[string("a"), wrap(string("x"))], [string("b"), vector([wrap(none), string("zeek::Broker::detail::DataVal")])]] }))
      .toEqual({ type: "table", value: [[string("a"), string("x")], [string("b"), vector([none, string("zeek::Broker::detail::DataVal")])]] });
  });
});

describe("addresses", () => {
  it.each([["192.0.2.1", "192.0.2.1"], ["::ffff:192.0.2.1", "192.0.2.1"], ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"], ["::", "::"], ["::1", "::1"], ["1::", "1::"], ["1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"], ["64:ff9b::192.0.2.1", "64:ff9b::c000:201"]])("%s is %s", (given, text) => {
    expect(printAddress(parseAddress(given) as Uint8Array)).toBe(text);
  });
  it.each(["", "1.2.3", "1.2.3.04", "1.2.3.4 ", "::1%lo", "12345::", "1:2:3:4:5:6:7:8:9", "::g"])("%j is none", (text) => expect(parseAddress(text)).toBeUndefined());
  test("every 16 bytes have one text, which gives them back", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => void expect(parseAddress(printAddress(bytes))).toEqual(bytes)), { numRuns: scaled(500) });
    expect(isMapped(parseAddress("1.2.3.4") as Uint8Array)).toBe(true);
  });
  it.each([["192.0.2.77/24", "192.0.2.0/24"], ["2001:db8::1/32", "2001:db8::/32"], ["1.2.3.4/32", "1.2.3.4/32"], ["255.255.255.255/1", "128.0.0.0/1"], ["ffff::/3", "e000::/3"]])("%s masked is %s", (given, text) => {
    expect(printSubnet(maskSubnet(parseSubnet(given) as never))).toBe(text);
  });
});

describe("times", () => {
  it.each([
    ["2022-04-10T07:00:00.123", 1_649_574_000_123_000_000n], ["1970-01-01T00:00:00", 0n], ["1969-12-31T23:59:59.999999999Z", -1n], ["2024-05-01T12:00:00+02:00", 1_714_557_600_000_000_000n],
    ["2024-05-01T10:00:00.5-0030", 1_714_559_400_500_000_000n], ["2024-02-29T00:00:00", 1_709_164_800_000_000_000n],
    ["2023-02-29T00:00:00", undefined], ["2024-05-01", undefined], ["2024-05-01T24:00:00", undefined], ["2024-13-01T00:00:00", undefined], ["2263-01-01T00:00:00", undefined], ["0001-01-01T00:00:00", undefined], ["2024-05-01 10:00:00", undefined],
  ])("%s", (text, nanoseconds) => expect(parseTime(text)).toBe(nanoseconds));
  test("are in the zone of an old Zeek, both ways, over the change of summer time too", () => {
    const zone = zoneOf("Europe/Berlin");
    for (const text of ["2024-05-01T12:00:00.123", "2024-12-24T18:00:00.000", "2024-10-27T01:59:59.999", "2024-10-27T03:00:00.000", "2024-03-31T01:59:59.000", "2024-03-31T03:00:00.000"])
      expect(printTime(parseTime(text, zone) as bigint, 3, zone)).toBe(text);
    expect(parseTime("2024-05-01T12:00:00.000", zone)).toBe(parseTime("2024-05-01T10:00:00.000Z"));
    expect(parseTime("2024-10-27T02:30:00.000", zone)).toBe(parseTime("2024-10-27T00:30:00.000Z"));
  });
  test("keep their nanoseconds for STIX", () => {
    expect([1n, 1_000n, 0n, -1n].map(stixTime)).toEqual(["1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000001Z", "1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999999999Z"]);
  });
  it.each([["1500ms", 1_500_000_000n], ["1.5h", 5_400_000_000_000n], ["-2592000s", -2_592_000_000_000_000n], ["2min", 120_000_000_000n], ["0.5ms", 500_000n], ["1us", 1_000n], ["1d", 86_400_000_000_000n], ["7", undefined], ["", undefined], ["s", undefined], ["1 s", undefined], ["99999999999999999999h", undefined]])("the span %s", (text, nanoseconds) => expect(parseSpan(text)).toBe(nanoseconds));
  test("spans print as Zeek does", () => expect([0n, 1_500_000_000n, -1n, 86_400_000_000_000n].map(printSpan)).toEqual(["0s", "1500ms", "-1ns", "86400s"]));
});

describe("frames", () => {
  test("come out of a stream however it is cut", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (frames, cuts) => {
      const stream = Buffer.concat(frames.map((frame) => {
        const writer = new Writer();
        writer.u32(frame.length);
        writer.bytes(frame);
        return writer.take();
      }));
      const splitter = new FrameSplitter(64);
      const out: Buffer[] = [];
      for (let at = 0, n = 0; at < stream.length; n++) {
        const length = cuts[n % cuts.length] ?? 1;
        for (const frame of splitter.push(stream.subarray(at, at + length))) out.push(Buffer.from(frame));
        at += length;
      }
      expect(out.map((frame) => [...frame])).toEqual(frames.map((frame) => [...frame]));
      expect(splitter.held).toBe(0);
    }), { numRuns: scaled(500) });
  });

  test("are held in one piece of memory, of twice what came at most, however small the pieces they come in", () => {
    const splitter = new FrameSplitter(1 << 24);
    const length = 1 << 19, stream = Buffer.alloc(4 + length);
    stream.writeUInt32BE(length);
    const before = process.memoryUsage();
    for (let at = 0; at < stream.length - 1; at++) for (const _ of splitter.push(stream.subarray(at, at + 1))) expect.unreachable();
    const after = process.memoryUsage();
    expect(splitter.held).toBe(length + 3);
    // A view kept of every byte would take 60 MB.
    expect(after.heapUsed - before.heapUsed).toBeLessThan(40 * 1_048_576);
    expect([...splitter.push(stream.subarray(-1))]).toEqual([stream.subarray(4)]);
  });

  test("are refused by their announced length alone", () => expect(() => [...new FrameSplitter(64).push(Buffer.from("00000041", "hex"))]).toThrow(WireRefused));

  const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString("hex"));
  const filter = fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 5 });
  const byte = fc.integer({ min: 0, max: 255 });
  test("of the handshake come out as they went in", () => {
    const messages: fc.Arbitrary<HandshakeMessage> = fc.oneof(
      fc.record({ type: fc.constant("hello" as const), sender: id, minVersion: byte, maxVersion: byte }), fc.constant<HandshakeMessage>({ type: "probe" }),
      fc.record({ type: fc.constant("version_select" as const), sender: id, version: byte }), fc.record({ type: fc.constant("drop_conn" as const), sender: id, code: byte, reason: fc.string({ maxLength: 50 }) }),
      fc.record({ type: fc.constantFrom("originator_syn" as const, "responder_syn_ack" as const), filter }), fc.constant<HandshakeMessage>({ type: "originator_ack" }),
    );
    fc.assert(fc.property(messages, (message) => void expect(decodeHandshake(encodeHandshake(message).subarray(4))).toEqual(message)), { numRuns: scaled(500) });
  });

  test("of a peering come out as they went in", () => {
    fc.assert(fc.property(id, id, byte, fc.integer({ min: 0, max: 65_535 }), fc.string({ unit: "grapheme" }), fc.uint8Array(), (sender, receiver, type, ttl, topic, payload) => {
      const writer = new Writer(1);
      writeMessage(messageHead({ sender, receiver, type, ttl, topic }), rawPayload(payload), writer);
      expect(decodeMessage(writer.take().subarray(4))).toEqual({ sender, receiver, type, ttl, topic, payload: Buffer.from(payload) });
    }), { numRuns: scaled(500) });
  });

  test("that cannot be encoded leave nothing behind", () => {
    const writer = new Writer();
    writer.u8(7);
    const head = { sender: "00".repeat(16), receiver: "00".repeat(16), type: 1 };
    expect(() => messageHead({ ...head, topic: "x".repeat(70_000) })).toThrow(RangeError);
    expect(() => writeMessage(messageHead({ ...head, topic: "x" }), (to) => encodeValue({ type: "address", value: "none" }, to), writer)).toThrow(WireRefused);
    expect(writer.take()).toEqual(Buffer.of(7));
  });
});

describe("the published vectors", () => {
  it("zeek/broker wire_format.test.cc", () => {
    const hex = "5746d8ee36445bd29f54d5a44c26c2a1c0551e8d392b509ba47bae46f75befac0100100006666f6f626172050b68656c6c6f20776f726c64";
    const message = decodeMessage(Buffer.from(hex, "hex"));
    expect(message).toMatchObject({ type: 1, ttl: 16, topic: "foobar" });
    expect(decodeValue(message.payload)).toEqual(string("hello world"));
  });
  it("zeek/zeek Serializer.cc", () => {
    const one: Value = { type: "count", value: 1n };
    const event = { name: "Supervisor::node_status", args: [string("TEST"), { type: "count", value: 42n } as Value], metadata: [vector([one, { type: "timestamp", value: 0n }])] };
    expect(binary(valueOf(event)).toString("hex")).toBe(`0e0302000000000000000102000000000000000` + `10e030517${Buffer.from("Supervisor::node_status").toString("hex")}0e02050454455354` + `02000000000000002a0e010e02020000000000000001090000000000000000`);
  });
});
