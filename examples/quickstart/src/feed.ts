/**
 * A MISP that is a recording: `node dist/feed.js [--port 50000] [--rate 100] [--once]`. Says what it does on standard output, one
 * JSON object a line: `{"event": "listening" | "joined" | "fed" | "through" | "heartbeat" | "failed", …}`. Exit code 69: the port is taken.
 */
import { parseArgs } from "node:util";
import { replay } from "./replay.ts";

const { values } = parseArgs({
  options: { port: { type: "string", default: "50000" }, rate: { type: "string", default: "100" }, once: { type: "boolean", default: false } },
});
const stopping = new AbortController();
const stop = (): void => stopping.abort();
process.once("SIGINT", stop).once("SIGTERM", stop).once("disconnect", stop);
// The parent may have gone before this line.
if (process.connected === false) stop();
// Whoever listened is gone.
process.stdout.on("error", stop);

const tell = (report: object): void => console.log(JSON.stringify(report));
const number = (name: "port" | "rate", most: number): number => {
  const given = Number(values[name]);
  if (!(given >= (name === "port" ? 0 : 1) && given <= most)) throw new RangeError(`--${name} is no number up to ${most}`);
  return given;
};

try {
  await replay({ port: number("port", 65_535), rate: number("rate", 100_000), once: values.once, signal: stopping.signal, report: tell });
} catch (thrown) {
  const taken = (thrown as { code?: unknown }).code === "EADDRINUSE";
  tell({ event: "failed", reason: taken ? `port ${values.port} is taken` : String(thrown) });
  process.exitCode = taken ? 69 : 1;
}
process.off("SIGINT", stop).off("SIGTERM", stop).off("disconnect", stop);
if (process.connected) process.disconnect();
