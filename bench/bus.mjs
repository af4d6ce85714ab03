// A bus composed in code, as a user would: node bus.mjs MANAGE PUB SUB. Tells its own counts when asked over the IPC channel.
import { createBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { zmq } from "@threatbus/zmq";

const [manage, pub, sub] = process.argv.slice(2).map(Number);
const bus = createBus({ backbones: [inmem()], apps: [zmq({ host: "127.0.0.1", manage, pub, sub })] });
await bus.start();
console.log("ready");
process.on("message", () => process.send?.(bus.stats()));
process.once("SIGTERM", async () => {
  await bus.stop();
  process.disconnect?.();
});
