// node subscriber.mjs PORT CHANNEL: reads a channel, tells its parent of the first message.
import { Subscriber } from "zeromq";

const [port, channel] = process.argv.slice(2);
const socket = new Subscriber({ linger: 0, receiveHighWaterMark: 10, receiveBufferSize: 8_192 });
socket.subscribe(channel);
socket.connect(`tcp://127.0.0.1:${port}`);
await socket.receive();
process.send("received");
for (;;) await socket.receive();
