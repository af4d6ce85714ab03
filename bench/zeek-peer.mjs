// A fake Zeek: node zeek-peer.mjs PORT COUNT. Peers, subscribes, takes COUNT intel events twice, says when it is ready and when it has them. Knows
// only as much of Broker's protocol as that takes (packages/app-plugins/zeek/src/native).
import { connect } from "node:net";

const [port, count] = process.argv.slice(2).map(Number);
const id = Buffer.from("00000000000040008000000000000001", "hex");
const nobody = Buffer.alloc(16);
const magic = Buffer.from("ZEEK");
const data = 1, routingUpdate = 3, ping = 4, pong = 5;

const text = (value) => Buffer.concat([Buffer.of(value.length), Buffer.from(value)]);
const framed = (...parts) => {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
};
const message = (type, topic, payload, receiver = nobody) => framed(id, receiver, Buffer.of(type, 0, 16, 0, topic.length), Buffer.from(topic), payload);
const event = (name, ...args) => {
  const one = Buffer.from("020000000000000001", "hex");
  return Buffer.concat([Buffer.of(14, 3), one, one, Buffer.of(14, 2, 5), text(name), Buffer.of(14, args.length), ...args]);
};

const socket = connect(port, "127.0.0.1");
socket.setNoDelay(true);
socket.write(framed(Buffer.of(6), magic, id, Buffer.of(1, 1)));
let rest = Buffer.alloc(0), standing = false, taken = 0, topic = "";

socket.on("data", (chunk) => {
  rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
  let at = 0;
  for (; rest.length - at >= 4; ) {
    const length = rest.readUInt32BE(at);
    if (rest.length - at - 4 < length) break;
    take(rest.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  rest = rest.subarray(at);
});
socket.on("error", (error) => {
  console.error(String(error));
  process.exitCode = 1;
});

function take(frame) {
  if (!standing) {
    // Its hello, for its id is the greater one; then its answer to this filter.
    if (frame[0] === 6) {
      socket.write(framed(Buffer.of(8), magic, id, Buffer.of(1)));
      socket.write(framed(Buffer.of(10, 1), text("threatbus/manage")));
    } else if (frame[0] === 11) {
      socket.write(framed(Buffer.of(12)));
      standing = true;
      socket.write(message(data, "threatbus/manage", event("Tenzir::subscribe", Buffer.concat([Buffer.of(5), text("stix2/indicator")]), Buffer.from("0a0000000000000000", "hex"))));
    }
    return;
  }
  const type = frame[32];
  if (type === ping) return void socket.write(message(pong, "<$>", frame.subarray(37 + frame.readUInt16BE(35)), frame.subarray(0, 16)));
  if (topic === "") {
    topic = /stix2\/indicator[a-z]+/.exec(frame.toString("latin1"))?.[0] ?? "";
    socket.write(message(routingUpdate, "<$>", Buffer.concat([Buffer.of(1), text(topic)])));
    console.log(`ready ${topic}`);
    return;
  }
  if (++taken % count !== 0) return;
  console.log(`done ${taken / count}`);
  if (taken === 2 * count) socket.end();
}
