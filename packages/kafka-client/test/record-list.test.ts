import fc from "fast-check";
import kafkajsEncode from "kafkajs/src/protocol/recordBatch/record/v0/index.js";
import { expect, test } from "vitest";
import type { OutgoingRecord } from "../src/contract.ts";
import { encodeRecords } from "../src/record-format.ts";
import { listForKafkajs } from "../src/record-list.ts";

interface Encoder {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}
const encode = kafkajsEncode as (record: OutgoingRecord & { readonly offsetDelta: number }) => Encoder;
const theirs = (message: OutgoingRecord, offsetDelta: number): Encoder => encode({ ...message, offsetDelta });
const bytesOf = (encoded: readonly Encoder[]): Buffer => Buffer.concat(encoded.map(({ buffer }) => buffer));

const text = fc.string({ unit: "grapheme", maxLength: 100 });
const record: fc.Arbitrary<OutgoingRecord> = fc.record({
  topic: fc.constant("t"),
  key: text,
  value: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  headers: fc.dictionary(text, text, { maxKeys: 4 }),
});

test("records are encoded as kafkajs does, byte for byte", () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 80 }), (records) => {
    expect(encodeRecords(records).equals(bytesOf(records.map(theirs)))).toBe(true);
  }));
});

test.each([0, 63, 64, 8_191, 8_192, 1_048_576])("also where a value has %i bytes, and the length takes another one", (size) => {
  const one: OutgoingRecord = { topic: "t", key: "", value: Buffer.alloc(size, 1), headers: {} };
  expect(encodeRecords([one]).equals(theirs(one, 0).buffer)).toBe(true);
});

/** As kafkajs 2.2.4 goes about it, in `groupMessagesPerPartition.js` and `produce/v3/request.js`. */
function send(records: OutgoingRecord[], partitionOf: (record: OutgoingRecord) => number): Record<string, Encoder[]> {
  const lists = listForKafkajs(records).reduce<Record<string, OutgoingRecord[]>>((result, message) => {
    const partition = partitionOf(message);
    return Object.assign(result, { [partition]: [...(result[partition] ?? []), message] });
  }, {});
  return Object.fromEntries(Object.entries(lists).map(([partition, messages]) => {
    expect(messages.map((message) => (message as { timestamp?: number }).timestamp).filter((timestamp) => timestamp != null)).toEqual([]);
    return [partition, messages.map(theirs)];
  }));
}

test("a list is sorted and encoded as kafkajs would do it, with as many parts", () => {
  fc.assert(fc.property(fc.array(record, { maxLength: 40 }), fc.integer({ min: 1, max: 3 }), (records, partitions) => {
    const partitionOf = ({ value }: OutgoingRecord): number => value.length % partitions;
    const sent = send([...records], partitionOf);
    for (let partition = 0; partition < partitions; partition++) {
      const wanted = records.filter((each) => partitionOf(each) === partition).map(theirs);
      const encoded = sent[partition] ?? [];
      expect(encoded.length).toBe(wanted.length);
      expect(bytesOf(encoded).equals(bytesOf(wanted))).toBe(true);
    }
  }));
});

test("what another kafkajs makes of a message is left to it", () => {
  const records: OutgoingRecord[] = ["a", "b"].map((key) => ({ topic: "t", key, value: Buffer.from("v"), headers: {} }));
  const lists = listForKafkajs(records).reduce<Record<string, OutgoingRecord[]>>((result, message) => ({ ...result, 0: [...(result[0] ?? []), message] }), {});
  const other = (message: OutgoingRecord): Encoder => ({ buf: Buffer.from(message.key), buffer: Buffer.from(message.key) });
  expect(lists[0]?.map(other)).toEqual(records.map(other));
  expect(lists[0]?.map(({ key }) => key)).toEqual(["a", "b"]);
});
