// node subscriber-app.mjs MANAGE [BUFFER]: an app in a process of its own. Tells its parent when it is subscribed, and its figures on
// every message from the parent. Ends with its parent.
import { connect } from "@threatbus/zmq-client";

const [manage, buffer = "1000"] = process.argv.slice(2);
const client = await connect({ manage: Number(manage) });
const subscription = await client.subscribe("stix2/indicator", { buffer: Number(buffer) });
process.on("message", () => process.send(subscription.stats));
process.on("disconnect", () => process.exit());
process.send("subscribed");
for await (const message of subscription) void message;
