import { parseAddress, parseSubnet, printAddress, printSubnet } from "./address.ts";
import { Reader } from "./reader.ts";
import { refuse } from "./refusal.ts";
import { type Entry, maxInt64, maxNesting, maxUint64, maxValues, minInt64, none, portProtocols, type Value } from "./value.ts";
import type { Writer } from "./writer.ts";

/** Broker's binary format, version 1 (zeek/broker `libbroker/broker/format/bin.cc`): a tag (`variant_tag.hh`), then the body; big-endian. */
const tags = {
  none: 0, boolean: 1, count: 2, integer: 3, real: 4, string: 5, address: 6, subnet: 7, port: 8, timestamp: 9, timespan: 10,
  "enum-value": 11, set: 12, table: 13, vector: 14,
} as const satisfies Record<Value["type"], number>;

/** Broker writes the infinities the wrong way round, and reads them so (seen on 2.8.0-dev.307). */
const plusInfinity = 0xfff0000000000000n, minusInfinity = 0x7ff0000000000000n, notANumber = 0xffffffffffffffffn;

/** @throws WireRefused */
export function decodeValue(bytes: Buffer): Value {
  const reader = new Reader(bytes);
  const value = new ValueReader(reader).read(0);
  if (reader.left > 0) refuse("bytes are left over behind a value");
  return value;
}

class ValueReader {
  readonly #reader: Reader;
  #values = 0;

  constructor(reader: Reader) {
    this.#reader = reader;
  }

  read(depth: number): Value {
    if (++this.#values > maxValues) refuse(`more than ${maxValues} values`);
    if (depth > maxNesting) refuse(`values nested deeper than ${maxNesting}`);
    const reader = this.#reader;
    const tag = reader.u8();
    switch (tag) {
      case tags.none:
        return none;
      case tags.boolean: {
        const byte = reader.u8();
        return byte > 1 ? refuse("a boolean is neither 0 nor 1") : { type: "boolean", value: byte === 1 };
      }
      case tags.count:
        return { type: "count", value: reader.u64() };
      case tags.integer:
        return { type: "integer", value: reader.i64() };
      case tags.real:
        return { type: "real", value: realOf(reader.u64()) };
      case tags.string:
        return { type: "string", value: reader.text() };
      case tags.address:
        return { type: "address", value: printAddress(reader.bytes(16)) };
      case tags.subnet: {
        const address = reader.bytes(16), length = reader.u8();
        return length > 128 ? refuse("a subnet is longer than 128 bits") : { type: "subnet", value: printSubnet({ bytes: address, length }) };
      }
      case tags.port: {
        const value = reader.u16(), protocol = portProtocols[reader.u8()];
        return protocol === undefined ? refuse("a port has an unknown protocol") : { type: "port", value, protocol };
      }
      case tags.timestamp:
        return { type: "timestamp", value: reader.i64() };
      case tags.timespan:
        return { type: "timespan", value: reader.i64() };
      case tags["enum-value"]: {
        const name = reader.text();
        return typeof name === "string" ? { type: "enum-value", value: name } : refuse("the name of an enum is not UTF-8");
      }
      case tags.set:
        return { type: "set", value: this.#list(depth) };
      case tags.table: {
        const entries: Entry[] = [];
        for (let left = this.#items(2); left > 0; left--) entries.push([this.read(depth + 1), this.read(depth + 1)]);
        return { type: "table", value: entries };
      }
      case tags.vector:
        return { type: "vector", value: this.#list(depth) };
      default:
        return refuse(`${tag} is no type of value`);
    }
  }

  #list(depth: number): Value[] {
    const list: Value[] = [];
    for (let left = this.#items(1); left > 0; left--) list.push(this.read(depth + 1));
    return list;
  }

  /** How many items follow, of so many bytes each at least. */
  #items(least: number): number {
    const items = this.#reader.size();
    return items * least > this.#reader.left ? refuse("cut short") : items;
  }
}

function realOf(bits: bigint): number {
  if (bits === plusInfinity) return Infinity;
  if (bits === minusInfinity) return -Infinity;
  view.setBigUint64(0, bits);
  return view.getFloat64(0);
}

const view = new DataView(new ArrayBuffer(8));

/** @throws WireRefused when a value is out of its type's range: nothing malformed goes out */
export function encodeValue(value: Value, writer: Writer, depth = 0): void {
  if (depth > maxNesting) refuse(`values nested deeper than ${maxNesting}`);
  writer.u8(tags[value.type]);
  switch (value.type) {
    case "none":
      return;
    case "boolean":
      return writer.u8(value.value ? 1 : 0);
    case "count":
      if (value.value < 0n || value.value > maxUint64) refuse("a count has more than 64 bits");
      return writer.u64(value.value);
    case "integer":
    case "timestamp":
    case "timespan":
      if (value.value < minInt64 || value.value > maxInt64) refuse(`a ${value.type} has more than 64 bits`);
      return writer.i64(value.value);
    case "real":
      if (Number.isFinite(value.value)) return writer.f64(value.value);
      return writer.u64(Number.isNaN(value.value) ? notANumber : value.value > 0 ? plusInfinity : minusInfinity);
    case "string":
    case "enum-value":
      return writer.text(value.value);
    case "address":
      return writer.bytes(parseAddress(value.value) ?? refuse("an address is none"));
    case "subnet": {
      const { bytes, length } = parseSubnet(value.value) ?? refuse("a subnet is none");
      writer.bytes(bytes);
      return writer.u8(length);
    }
    case "port":
      if (!(Number.isInteger(value.value) && value.value >= 0 && value.value <= 65_535)) refuse("a port is none");
      writer.u16(value.value);
      return writer.u8(portProtocols.indexOf(value.protocol));
    case "set":
    case "vector":
      writer.size(value.value.length);
      for (const item of value.value) encodeValue(item, writer, depth + 1);
      return;
    case "table":
      writer.size(value.value.length);
      for (const [key, item] of value.value) {
        encodeValue(key, writer, depth + 1);
        encodeValue(item, writer, depth + 1);
      }
  }
}
