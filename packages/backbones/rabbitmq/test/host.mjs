// A host in a process of its own, to be killed: node host.mjs OPTIONS. Tells its parent of every message it handled, and of every one it published.
import { createBus, message } from "@threatbus/core";
import { rabbitmq } from "@threatbus/rabbitmq";
import { randomUUID } from "node:crypto";

const tell = (said) => new Promise((resolve, reject) => process.send(said, (error) => (error ? reject(error) : resolve())));
const bus = createBus({ backbones: [rabbitmq(JSON.parse(process.argv[2]))] });
await bus.subscribe("stix2/", ({ body }) => tell({ handled: body.id }), { queue: { maxItems: 1_000_000 } });
await bus.start();
await tell({ ready: true });
process.on("disconnect", () => process.exit());
for (;;) {
  const sent = Array.from({ length: 50 }, () => message({ type: "domain-name", spec_version: "2.1", id: `domain-name--${randomUUID()}`, value: "child.example" }));
  await Promise.all(sent.map((one) => bus.publish(one).then(() => tell({ published: one.body.id }))));
}
