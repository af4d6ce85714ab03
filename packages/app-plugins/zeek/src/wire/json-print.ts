import { Buffer } from "node:buffer";
import { parseAddress, parseSubnet } from "./address.ts";
import { refuse } from "./refusal.ts";
import { printSpan, printTime, utc, type Zone } from "./time.ts";
import { maxNesting, readable, type Text, type Value } from "./value.ts";

export interface JsonStyle {
  /** Zone of times, which is not written. Default UTC. */
  readonly zone?: Zone;
  /** Decimals of times. Zeek before 8.0 takes exactly 3 (default), later ones up to 9. */
  readonly decimals?: 3 | 9;
  /**
   * True: as Zeek itself writes, see `parseZeekJson`; only this program's decoder and Zeek's read it. False (default): RFC 8259 in UTF-8, which
   * Zeek insists on; bytes that are no UTF-8 become U+FFFD, and what JSON has no number for is refused.
   */
  readonly raw?: boolean;
}

/** A message for Zeek, or, with `raw`, as from it. @throws WireRefused for values that have no JSON, or are out of their type's range */
export function encodeJson(topic: Text, value: Value, style: JsonStyle = {}): Buffer {
  const printer = new Printer(style);
  const text = `{"type":"data-message","topic":${printer.text(topic)},${printer.members(value, 0)}}`;
  return Buffer.from(text, "latin1");
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'], ["\\", "\\\\"], ["\b", "\\b"], ["\f", "\\f"], ["\n", "\\n"], ["\r", "\\r"], ["\t", "\\t"],
]);

/** Prints into a string of bytes: each character is one. */
class Printer {
  readonly #zone: Zone;
  readonly #decimals: 3 | 9;
  readonly #raw: boolean;

  constructor({ zone = utc, decimals = 3, raw = false }: JsonStyle) {
    this.#zone = zone;
    this.#decimals = decimals;
    this.#raw = raw;
  }

  members(value: Value, depth: number): string {
    if (depth > maxNesting) refuse(`values nested deeper than ${maxNesting}`);
    return `"@data-type":"${value.type}","data":${this.#data(value, depth)}`;
  }

  text(text: Text): string {
    const bytes = this.#raw || typeof text === "string" ? Buffer.from(text as string) : Buffer.from(readable(text));
    const latin = bytes.toString("latin1");
    return `"${latin.replace(/["\\\x00-\x1f]/g, (letter) => this.#escape(letter))}"`;
  }

  #escape(letter: string): string {
    const escape = escapes.get(letter);
    if (escape !== undefined) return escape;
    if (this.#raw) return letter === "\v" ? "\\v" : letter;
    return `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`;
  }

  #data(value: Value, depth: number): string {
    switch (value.type) {
      case "none":
        return "{}";
      case "boolean":
      case "count":
      case "integer":
        return String(value.value);
      case "real":
        return this.#real(value.value);
      case "string":
      case "enum-value":
        return this.text(value.value);
      case "address":
        return parseAddress(value.value) === undefined ? refuse("an address is none") : `"${value.value}"`;
      case "subnet":
        return parseSubnet(value.value) === undefined ? refuse("a subnet is none") : `"${value.value}"`;
      case "port":
        return `"${value.value}/${value.protocol}"`;
      case "timestamp":
        return `"${printTime(value.value, this.#decimals, this.#zone)}"`;
      case "timespan":
        return `"${printSpan(value.value)}"`;
      case "set":
      case "vector":
        return `[${value.value.map((item) => `{${this.members(item, depth + 1)}}`).join(",")}]`;
      case "table":
        return `[${value.value.map(([key, item]) => `{"key":{${this.members(key, depth + 1)}},"value":{${this.members(item, depth + 1)}}}`).join(",")}]`;
    }
  }

  /** As `%f` prints it if that says the number exactly, else the shortest text that does. A whole number has a point: Zeek insists. */
  #real(value: number): string {
    if (Number.isNaN(value)) return this.#raw ? "nan" : refuse("JSON has no NaN");
    if (!Number.isFinite(value)) return this.#raw ? (value > 0 ? "inf" : "-inf") : refuse("JSON has no infinity");
    const fixed = printFixed(value);
    if (Object.is(Number(fixed), value)) return fixed;
    const shortest = String(value);
    return /[.e]/.test(shortest) ? shortest : `${shortest}.0`;
  }
}

function printFixed(value: number): string {
  if (Object.is(value, -0)) return "-0.000000";
  return Math.abs(value) < 1e21 ? value.toFixed(6) : `${BigInt(value)}.000000`;
}
