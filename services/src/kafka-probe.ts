import type { Socket } from "node:net";
import { answerOf } from "./probe.ts";

/** Metadata is API 3; version 4 is the newest that every Kafka from 3.9 to 4.4 reads without tagged fields. No topic is asked for. */
const question = frame(Buffer.concat([short(3), short(4), int(1), short(-1), int(0), Buffer.of(0)]));

/** Whether a Kafka behind a new socket, plain or TLS, takes requests and counts itself among the living: a broker that is fenced names none. */
export function answersKafka(socket: Socket): Promise<boolean> {
  return answerOf(socket, question, (received) => {
    // Size, correlation id, throttle time, then the number of brokers.
    return received.length < 16 ? undefined : received.readInt32BE(12) > 0;
  });
}

function frame(body: Buffer): Buffer {
  return Buffer.concat([int(body.length), body]);
}

function short(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}

function int(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}
