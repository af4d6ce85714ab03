import fc from "fast-check";
import { parseAddress, printAddress, printSubnet } from "../src/wire/address.ts";
import { maxInt64, maxUint64, minInt64, none, portProtocols, type Value } from "../src/wire/value.ts";

export const addressText: fc.Arbitrary<string> = fc.oneof(fc.ipV4(), fc.ipV6()).filter((text) => parseAddress(text) !== undefined).map((text) => printAddress(parseAddress(text) as Uint8Array));
const subnetText = fc.tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.boolean(), fc.integer({ min: 0, max: 128 })).map(([bytes, v4, length]) => {
  if (v4) bytes.set([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255]);
  return printSubnet({ bytes, length });
});
const int64 = fc.oneof(fc.bigInt({ min: minInt64, max: maxInt64 }), fc.constantFrom(minInt64, maxInt64, 0n, -1n));
const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary-ascii" }), fc.constantFrom("", "\0", "\v", "\u2028", "\ufeff", "\ufffd", '"\\'));
/** Bytes that are no UTF-8. */
const bytes = fc.uint8Array({ maxLength: 20 }).map((before) => Uint8Array.of(...before, 0xff));

/** Every value there is, `json` those that JSON holds exactly. */
export function values(json = false): fc.Arbitrary<Value> {
  const real = json ? fc.double({ noNaN: true, noDefaultInfinity: true }) : fc.oneof(fc.double(), fc.constantFrom(0, -0, Infinity, -Infinity, NaN, Number.MIN_VALUE, Number.MAX_VALUE));
  const leaf: fc.Arbitrary<Value> = fc.oneof(
    fc.constant(none),
    fc.boolean().map((value): Value => ({ type: "boolean", value })),
    fc.oneof(fc.bigInt({ min: 0n, max: maxUint64 }), fc.constantFrom(0n, maxUint64)).map((value): Value => ({ type: "count", value })),
    int64.map((value): Value => ({ type: "integer", value })),
    // The one number that both write as the other's infinity.
    real.map((value): Value => ({ type: "real", value })),
    (json ? text : fc.oneof(text, bytes)).map((value): Value => ({ type: "string", value })),
    addressText.map((value): Value => ({ type: "address", value })),
    subnetText.map((value): Value => ({ type: "subnet", value })),
    fc.record({ type: fc.constant("port" as const), value: fc.integer({ min: 0, max: 65_535 }), protocol: fc.constantFrom(...portProtocols) }),
    int64.map((value): Value => ({ type: "timestamp", value })),
    int64.map((value): Value => ({ type: "timespan", value })),
    text.map((value): Value => ({ type: "enum-value", value })),
  );
  return fc.letrec<{ value: Value }>((tie) => ({
    value: fc.oneof({ maxDepth: 4, depthSize: "small" }, leaf,
      fc.array(tie("value"), { maxLength: 5 }).map((value): Value => ({ type: "vector", value })),
      fc.array(tie("value"), { maxLength: 5 }).map((value): Value => ({ type: "set", value })),
      fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 4 }).map((value): Value => ({ type: "table", value }))),
  })).value;
}
