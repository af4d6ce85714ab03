/**
 * An app in a process of its own, joined to a bus over ZeroMQ: `node dist/app.js [--host 127.0.0.1] [--manage 13370]`. Learns every
 * indicator on the bus, looks for it in the logs of `data/`, and reports sightings. Says what it does on standard output, one JSON
 * object a line: `AppReport`.
 */
import { parseArgs } from "node:util";
import { connect } from "@threatbus/zmq-client";
import { readLogs } from "./logs.ts";
import { Matcher } from "./matcher.ts";
import { type AppReport, keyOf } from "./reports.ts";
import { sightingOf } from "./sighting.ts";

const { values } = parseArgs({ options: { host: { type: "string", default: "127.0.0.1" }, manage: { type: "string", default: "13370" } } });
const stopping = new AbortController();
const stop = (): void => stopping.abort();
process.once("SIGTERM", stop).once("disconnect", stop);
// The parent may have gone before this line.
if (process.connected === false) stop();
// Ctrl-C reaches every program in the terminal; with a parent, the parent says when to end, so that nothing is cut short.
process.on("SIGINT", () => process.connected || stop());
process.stdout.on("error", stop);

const tell = (report: AppReport): void => console.log(JSON.stringify(report));

try {
  const events = readLogs();
  const matcher = new Matcher(events);
  const client = await connect({ host: values.host, manage: Number(values.manage), requestTimeout: 2_000, signal: stopping.signal });
  const indicators = await client.subscribe("stix2/indicator");
  tell({ event: "joined", events: events.length });
  for await (const message of indicators) {
    if (message.type !== "indicator") continue;
    for (const match of matcher.learn(message.body)) {
      const sighting = sightingOf(match);
      await client.publish(sighting);
      tell({ event: "sighting", key: keyOf(sighting) });
    }
    tell({ event: "indicator", key: keyOf(message.body), known: matcher.known });
  }
  await client.close();
} catch (thrown) {
  if (!stopping.signal.aborted) {
    tell({ event: "failed", reason: String(thrown) });
    process.exitCode = 1;
  }
}
if (process.connected) process.disconnect();
