// The limit a JavaScript bus is held against: ZeroMQ in, ZeroMQ out, one copy per subscriber, nothing parsed, nothing lost.
// node forwarder.mjs IN OUT PREFIX…; a line on standard output for each subscriber that comes or goes.
import { Subscriber, XPublisher } from "zeromq";

const [from, to, ...prefixes] = process.argv.slice(2);
const input = new Subscriber({ linger: 0, receiveHighWaterMark: 10_000 });
const output = new XPublisher({ linger: 0, noDrop: true, sendTimeout: 0, sendHighWaterMark: 10_000 });
input.subscribe("stix2/");
await input.bind(from);
await output.bind(to);
const heads = prefixes.map((prefix) => Buffer.from(prefix));
const afterFormat = "stix2/".length;

/** A full pipe refuses at once; the message is kept until there is room. */
async function send(copy) {
  for (;;) {
    try {
      return await output.send(copy);
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

async function forward() {
  for await (const [frame] of input) for (const head of heads) await send(Buffer.concat([head, frame.subarray(afterFormat)]));
}
/** Looks now and then: a receive that waits would slow every send down. */
async function watch() {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    while (output.readable) console.log((await output.receive())[0][0] === 1 ? "attached" : "detached");
  }
}
console.log("ready");
await Promise.all([forward(), watch()]);
