import type { OutgoingRecord } from "./contract.ts";
import { encodeRecords } from "./record-format.ts";

type ByPartition = Record<string, OutgoingRecord[]>;
/** What kafkajs makes of a message before it puts it into a batch. */
interface Encoded {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

const nothing: Encoded = { buf: Buffer.alloc(0), buffer: Buffer.alloc(0) };

/**
 * A list of messages for kafkajs 2.2.4 to send. Two things it does with one are slow, and are done here in its place:
 * - It sorts by partition with `reduce`, and copies the list of a partition for each message that it adds: quadratic in the size of a batch.
 * - It encodes with `map`, with half a kilobyte set to zero for each message and each header: most of the time that sending takes.
 *
 * What it would make of the first message is compared with ours, every time: should it ever do something else, it does it by itself.
 */
export function listForKafkajs(messages: OutgoingRecord[]): OutgoingRecord[] {
  const reduce = (add: (lists: ByPartition, message: OutgoingRecord) => ByPartition): ByPartition => {
    const lists: ByPartition = {};
    for (const message of messages) for (const partition of Object.keys(add({}, message))) (lists[partition] ??= []).push(message);
    for (const list of Object.values(lists)) encodingAtOnce(list);
    return lists;
  };
  return Object.defineProperty(messages, "reduce", { value: reduce });
}

function encodingAtOnce(messages: OutgoingRecord[]): void {
  const map = (encode: (message: OutgoingRecord, index: number) => unknown): unknown[] => {
    const first = messages[0] === undefined ? undefined : encode(messages[0], 0);
    if (!isEncoded(first) || !first.buffer.equals(encodeRecords(messages.slice(0, 1)))) return Array.from(messages, encode);
    const whole = encodeRecords(messages);
    return [{ buf: whole, buffer: whole }, ...new Array<Encoded>(messages.length - 1).fill(nothing)];
  };
  Object.defineProperty(messages, "map", { value: map });
}

function isEncoded(made: unknown): made is Encoded {
  return typeof made === "object" && made !== null && Buffer.isBuffer((made as Partial<Encoded>).buffer);
}
