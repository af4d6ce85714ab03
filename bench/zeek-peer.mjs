// A fake Zeek: node zeek-peer.mjs PORT COUNT. Peers, subscribes, takes COUNT intel events twice, says when it is ready and when it has them.
import { connect } from "node:net";
import { event, handshake, magic, message, string, tags, text, types } from "./zeek-frames.mjs";

const [port, count] = process.argv.slice(2).map(Number);
const id = Buffer.from("00000000000040008000000000000001", "hex");

const socket = connect(port, "127.0.0.1");
socket.setNoDelay(true);
socket.write(handshake(tags.hello, magic, id, Buffer.of(1, 1)));
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
    if (frame[0] === tags.hello) {
      socket.write(handshake(tags.versionSelect, magic, id, Buffer.of(1)));
      socket.write(handshake(tags.originatorSyn, Buffer.of(1), text("threatbus/manage")));
    } else if (frame[0] === tags.responderSynAck) {
      socket.write(handshake(tags.originatorAck));
      standing = true;
      socket.write(message(id, types.data, "threatbus/manage", event("Tenzir::subscribe", string("stix2/indicator"), Buffer.from("0a0000000000000000", "hex"))));
    }
    return;
  }
  const type = frame[32];
  if (type === types.ping) return void (socket.writable && socket.write(message(id, types.pong, "<$>", frame.subarray(37 + frame.readUInt16BE(35)), frame.subarray(0, 16))));
  if (topic === "") {
    topic = /stix2\/indicator[a-z]+/.exec(frame.toString("latin1"))?.[0] ?? "";
    socket.write(message(id, types.routingUpdate, "<$>", Buffer.concat([Buffer.of(1), text(topic)])));
    console.log(`ready ${topic}`);
    return;
  }
  if (++taken % count !== 0) return;
  console.log(`done ${taken / count}`);
  if (taken === 2 * count) socket.end();
}
