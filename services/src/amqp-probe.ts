import type { Socket } from "node:net";
import { answerOf } from "./probe.ts";

/** AMQP 0-9-1's protocol header; a broker that is ready answers with `Connection.Start`. */
const header = Buffer.from("AMQP\0\0\x09\x01", "latin1");

/** Whether a RabbitMQ behind a new socket, plain or TLS, takes connections. */
export function answersAmqp(socket: Socket): Promise<boolean> {
  return answerOf(socket, header, (received) => {
    if (received.length < 11) return undefined;
    // A method frame (1) of channel 0 (bytes 1 and 2) with class 10, method 10, after four bytes of size.
    return received[0] === 1 && received.readUInt16BE(1) === 0 && received.readUInt16BE(7) === 10 && received.readUInt16BE(9) === 10;
  });
}
