// Frames of Broker's native protocol, as much as the two ends of the Zeek benchmark need (packages/app-plugins/zeek/src/native).

export const magic = Buffer.from("ZEEK");
export const nobody = Buffer.alloc(16);
export const types = { data: 1, routingUpdate: 3, ping: 4, pong: 5 };
export const tags = { hello: 6, versionSelect: 8, originatorSyn: 10, responderSynAck: 11, originatorAck: 12 };
const one = Buffer.from("020000000000000001", "hex");

/** Behind its length. */
export const text = (value) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
/** As a value of an event. */
export const string = (value) => Buffer.concat([Buffer.of(5), text(value)]);

export function framed(...parts) {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}

export const handshake = (tag, ...parts) => framed(Buffer.of(tag), ...parts);
export const message = (sender, type, topic, payload, receiver = nobody) => framed(sender, receiver, Buffer.of(type, 0, 16, 0, topic.length), Buffer.from(topic), payload);
export const event = (name, ...args) => Buffer.concat([Buffer.of(14, 3), one, one, Buffer.of(14, 2, 5), text(name), Buffer.of(14, args.length), ...args]);
