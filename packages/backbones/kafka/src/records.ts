import type { Frame, Outgoing } from "@threatbus/core";
import type { IncomingRecord, OutgoingRecord } from "@threatbus/kafka-client";

/** What Kafka's record says about a frame besides its payload. */
export const headers = { id: "x-threatbus-id", topic: "x-threatbus-topic", origin: "x-threatbus-origin" } as const;

/** Characters of a header that are looked at: ids and topics are shorter. */
const longestHeader = 256;

/** Messages about one STIX object have one key, so that Kafka keeps their order. */
export function recordOf({ frame, key }: Outgoing, topic: string, origin: string): OutgoingRecord {
  const { payload } = frame;
  return {
    topic,
    key,
    value: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength),
    headers: { [headers.id]: frame.id, [headers.topic]: frame.topic, [headers.origin]: origin },
  };
}

/** Programs of others set no headers: the content decides the topic then, and the place in the log makes an id. */
export function frameOf(record: IncomingRecord): Frame {
  return { topic: headerOf(record, headers.topic), id: idOf(record), payload: record.value ?? new Uint8Array() };
}

/** The same whenever the record is read. The time tells it from one at the same place of a topic that was made anew. */
export function idOf(record: IncomingRecord): string {
  const { topic, partition, offset, timestamp } = record;
  return headerOf(record, headers.id) || `${topic}/${partition}/${offset}@${timestamp}`;
}

function headerOf(record: IncomingRecord, name: string): string {
  const value = record.header(name) ?? "";
  return value.length > longestHeader ? "" : value;
}

/** A record that was not taken, as it came, with the reason. */
export function deadLetterOf(record: IncomingRecord, topic: string, reason: string): OutgoingRecord {
  const kept: Record<string, string> = {};
  for (const name of Object.values(headers)) if (headerOf(record, name) !== "") kept[name] = headerOf(record, name);
  return {
    topic,
    key: record.key?.toString("utf8") ?? "",
    value: record.value ?? Buffer.alloc(0),
    headers: { ...kept, "x-threatbus-reason": reason, "x-threatbus-source": `${record.topic}/${record.partition}/${record.offset}` },
  };
}
