// Sends indicators to one Zeek: node zeek-bus.mjs bus|loop PORT COUNT. `bus` is a bus with the zeek plugin; `loop` writes bytes prepared before. Sends
// COUNT of them each time it is told to over the IPC channel.
import { createServer } from "node:net";
import { createBus, message, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { zeek } from "@threatbus/zeek";
import { event, handshake, magic, message as frame, string, tags, text, types } from "./zeek-frames.mjs";

const [kind, port, count] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const time = "2024-05-01T10:00:00.123Z";
const idOf = (n) => `indicator--00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
const nameOf = (n) => `host-${n}.example.com`;

if (kind === "bus") {
  const batch = Array.from({ length: 2 * count }, (_, n) =>
    message({ type: "indicator", spec_version: "2.1", id: idOf(n), created: time, modified: time, valid_from: time, pattern_type: "stix", pattern: `[domain-name:value = '${nameOf(n)}']` }));
  const bus = createBus({ backbones: [inmem()], apps: [zeek({ port, queue: { max_items: 2 * count, max_bytes: 2 ** 30 } })], logger: silentLogger });
  await bus.start();
  process.on("message", async () => {
    // A feed does not wait for each: so many are under way at a time.
    const messages = batch.splice(0, count);
    for (let n = 0; n < count; n += 100) await Promise.all(messages.slice(n, n + 100).map((each) => bus.publish(each)));
  });
  process.once("SIGTERM", async () => {
    await bus.stop();
    process.disconnect?.();
  });
} else {
  const server = createServer((socket) => serve(socket));
  server.listen(port, "127.0.0.1");
  process.once("SIGTERM", () => process.exit());
}
console.log("ready");

/** Goes through the handshake without looking, then writes one prepared frame after the other, waiting when the socket is full. */
function serve(socket) {
  socket.setNoDelay(true);
  const id = Buffer.from("ffffffffffff4fffbfffffffffffffff", "hex");
  const topic = `stix2/indicator${"a".repeat(28)}`;
  const created = Buffer.alloc(9);
  created[0] = 9;
  created.writeBigInt64BE(1_714_557_600_123_000_000n, 1);
  const frames = Array.from({ length: 2 * count }, (_, n) =>
    frame(id, types.data, topic, event("Tenzir::intel", Buffer.concat([Buffer.of(14, 5), created, string(idOf(n)), string("DOMAIN"), string(nameOf(n)), string("ADD")]))));
  socket.write(handshake(tags.hello, magic, id, Buffer.of(1, 1)));
  let heard = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    heard = Buffer.concat([heard, chunk]);
    if (heard.includes("threatbus/manage") && !socket.answered) {
      socket.answered = true;
      socket.write(handshake(tags.responderSynAck, Buffer.of(1), text("threatbus/manage")));
    }
    if (heard.includes("Tenzir::subscribe") && !socket.acknowledged) {
      socket.acknowledged = true;
      socket.write(frame(id, types.data, "threatbus/manage", event("Tenzir::subscription_acknowledged", string(topic))));
    }
  });
  socket.on("error", () => undefined);
  process.on("message", async () => {
    for (const frame of frames.splice(0, count)) if (!socket.write(frame)) await new Promise((resolve) => socket.once("drain", resolve));
  });
}
