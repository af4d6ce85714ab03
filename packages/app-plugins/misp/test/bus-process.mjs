// A bus with the plugin, as it was built, in a process of its own: options as JSON in its argument, or a list of them. What it is sent, it publishes.
import { createBus, message, silentLogger } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import { misp } from "@threatbus/misp";

const apps = [JSON.parse(process.argv[2])].flat().map((options, n) => ({ ...misp(options), name: `misp/${n}` }));
const bus = createBus({ backbones: [inmem()], apps, logger: silentLogger });
process.on("message", (object) => void bus.publish(message(object)));
process.on("disconnect", () => process.exit());
try {
  await bus.start();
  process.send("running");
} catch ({ code, message: text, hint }) {
  process.send({ code, text, hint });
}
