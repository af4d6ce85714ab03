// A host in a process of its own, composed as a user would: node host.mjs BACKBONE OPTIONS [OPTIONS OF ZMQ], as JSON. Messages come and
// go by ZeroMQ, or it publishes and subscribes itself, as `station.mjs` says.
import { createBus, decodeMessage } from "@threatbus/core";
import { kafka } from "@threatbus/kafka";
import { rabbitmq } from "@threatbus/rabbitmq";
import { zmq } from "@threatbus/zmq";
import { serve } from "./station.mjs";

const [backbone, options, app] = process.argv.slice(2);
const bus = createBus({
  backbones: [{ kafka, rabbitmq }[backbone](JSON.parse(options))],
  apps: app === undefined ? [] : [zmq(JSON.parse(app))],
});
await bus.start();
serve({
  // As an app's message is: checked first.
  publish: (payload) => bus.publish(decodeMessage("stix2/indicator", payload)),
  subscribe: (arrive) => bus.subscribe("stix2/", ({ payload }) => arrive(payload)),
  arrived: () => bus.stats().arrived,
  stop: () => bus.stop(),
});
