import { seeded } from "@threatbus/testkit";
import { describe, expect, it } from "vitest";
import { eventOf } from "../src/wire/event.ts";
import { decodeJson } from "../src/wire/json.ts";
import { capture, messageOf, wsCaptures, type Line } from "./captures.ts";
import { eventually } from "./eventually.ts";
import { closing, fragmented, frame, rawServer, type RawConnection } from "./raw-websocket.ts";
import { stand } from "./stand.ts";

const random = seeded(4_712);

/** Writes bytes in pieces of random lengths, one each turn of the event loop. */
async function dribble({ socket }: RawConnection, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; ) {
    const length = 1 + Math.floor(random() * (random() < 0.3 ? 16 : bytes.length));
    socket.write(bytes.subarray(at, at + length));
    at += length;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function bytesFor(line: Line & { fragments?: readonly number[] }): Buffer {
  switch (line.kind) {
    case "text":
      return fragmented(messageOf(line), line.fragments);
    case "ping":
    case "pong":
      return frame(line.kind, messageOf(line));
    case "close":
      return line.code === undefined ? frame("close", Buffer.alloc(0)) : closing(line.code, line.text ?? "");
    default:
      return Buffer.alloc(0);
  }
}

const connections = wsCaptures.flatMap((name) => {
  const lines = capture(name);
  const upgraded = lines.filter(({ kind, from }) => kind === "http response" && from === "zeek");
  return upgraded.map(({ conn, text = "" }) => ({ name, conn, answer: text, lines: lines.filter((line) => line.conn === conn && line.from === "zeek" && line.kind !== "http response") }));
});

/** Events of the recordings on topics of ours there are none: all must be read all the same. */
describe("Zeek's side of each WebSocket recording, played over TCP", () => {
  it.each(connections)("$name, connection $conn", async ({ answer, lines }) => {
    const server = await rawServer();
    const { host, bus } = await stand({ listen: false, websocket: [{ url: `ws://127.0.0.1:${server.port}` }], handshake_timeout: 60 });
    const zeek = await server.accept();
    if (!answer.startsWith("HTTP/1.1 101")) {
      await zeek.upgrade(answer);
      await eventually(() => host.entries.some(({ fields }) => String(fields["reason"]).includes("400")), true);
      return;
    }
    expect(await zeek.upgrade()).toMatch(/^GET \/v1\/messages\/json HTTP\/1\.1\r\n/);
    expect(await zeek.frame()).toEqual({ kind: "text", payload: Buffer.from('["threatbus/manage","stix2/sighting"]') });
    // Where the recorded client closed, or the recording ends, Zeek's part is over.
    const played = lines.slice(0, (lines.findIndex(({ kind }) => kind === "close") + 1 || lines.length + 1));
    await dribble(zeek, Buffer.concat(played.map(bytesFor)));
    const acked = played.some(({ kind, text = "" }) => kind === "text" && text.startsWith('{"type":"ack"'));
    const errors = played.filter(({ kind, text = "" }) => kind === "text" && text.startsWith('{"type":"error"')).length;
    const refused = errors > 0 && !acked;
    const pings = refused ? [] : played.filter(({ kind }) => kind === "ping");
    for (const ping of pings) expect(await zeek.frame()).toEqual({ kind: "pong", payload: messageOf(ping) });
    if (acked) await eventually(() => host.entries.filter(({ text }) => text === "a Zeek is connected").length, 1);
    if (refused) await eventually(() => host.entries.some(({ fields }) => /refuses the subscription/.test(String(fields["reason"]))), true);
    else await eventually(() => host.count("zeek_errors"), errors);
    const last = played.at(-1);
    if (last?.kind === "close" && !refused) expect(await zeek.frame()).toMatchObject({ kind: "close" });
    expect(host.count("zeek_frames_refused")).toBe(0);
    zeek.socket.destroy();
    await bus.stop();
  });

  it("has events in it that were read", () => {
    const events = connections.flatMap(({ lines }) => lines).filter(({ kind, text = "" }) => kind === "text" && text.startsWith('{"type":"data')).map((line) => {
      const message = decodeJson(messageOf(line));
      return message.type === "data-message" ? eventOf(message.value)?.name : undefined;
    });
    expect(events.length).toBeGreaterThan(100);
    expect(events).not.toContain(undefined);
  });
});
