import { message } from "@threatbus/core";
import { describe, expect, it } from "vitest";
import { decodeHandshake } from "../src/native/handshake-message.ts";
import { decodeMessage, messageTypes } from "../src/native/message.ts";
import { decodeValue } from "../src/wire/binary.ts";
import { eventOf } from "../src/wire/event.ts";
import { stixTime } from "../src/wire/time.ts";
import { capture, type Line, nativeCaptures } from "./captures.ts";
import { eventually } from "./eventually.ts";
import { FakeZeek, intelText, listeningZeek } from "./fake-zeek.ts";
import { dribble, framesOf, parts, type Parts, Renamed, rename } from "./replay.ts";

const prefixed = (frame: Buffer): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(frame.length);
  return Buffer.concat([length, frame]);
};

/** What the recorded peer was. */
function recordedPeer(lines: readonly Line[], conn: number): { id: string; filter: readonly string[] } {
  let id = "", filter: readonly string[] = [];
  for (const frame of framesOf(lines, conn, "peer").slice(0, 4)) {
    const tag = frame[4] ?? 0;
    if (tag < 6 || tag > 12) break;
    const said = decodeHandshake(frame.subarray(4));
    if ("sender" in said) id = said.sender;
    if ("filter" in said) filter = said.filter;
  }
  return { id, filter };
}

const toBytes = (frames: readonly Buffer[]): string[] => frames.map((frame) => frame.toString("hex"));

/** Plays one connection that Zeek dialled. What this side answers is compared with what the peer did: byte by byte, but for the names of topics. */
async function playDialled(lines: readonly Line[], conn: number, on: Parts, port: number, topics: Renamed): Promise<void> {
  const zeek = await FakeZeek.dial(port);
  let standing = false;
  for (const line of lines.filter((each) => each.conn === conn && each.hex !== undefined)) {
    const frame = Buffer.from(line.hex ?? "", "hex");
    const tag = standing ? 0 : (frame[4] ?? 0);
    if (line.from === "zeek") {
      await dribble(zeek, rename(frame, standing, (text) => topics.now(text)));
      if (tag === 12) standing = true;
      continue;
    }
    // Broker announces itself with a probe; that is optional, and this side does not.
    if (tag === 7) continue;
    const said = standing ? decodeMessage(frame.subarray(4)) : undefined;
    const event = said?.type === messageTypes.data ? eventOf(decodeValue(said.payload)) : undefined;
    // The recording's own topics; intel is compared on its own; a ping of the peer's is not this side's to send now.
    if ((typeof said?.topic === "string" && said.topic.startsWith("harness/")) || said?.type === messageTypes.ping) continue;
    if (event?.name === "Tenzir::nosuch" || (event?.name === "Tenzir::intel" && !(await publishAgain(on, event.args)))) continue;
    const answer = prefixed((await zeek.frame()) ?? Buffer.alloc(0));
    if (event?.name === "Tenzir::subscription_acknowledged") {
      const granted = eventOf(decodeValue(decodeMessage(answer.subarray(4)).payload))?.args[0];
      topics.set((event.args[0] as { value: string }).value, (granted as { value: string }).value);
    }
    expect(rename(answer, standing, (text) => topics.back(text)).toString("hex"), `n=${line.n}`).toBe(line.hex);
    if (tag === 12) standing = true;
  }
  zeek.socket.end();
  await zeek.gone;
  await eventually(() => on.host.gauge("zeek_connected"), 0);
}

const paths = new Map([
  ["SUBNET", "ipv4-addr:value"], ["DOMAIN", "domain-name:value"], ["URL", "url:value"], ["FILE_NAME", "file:name"], ["EMAIL", "email-addr:value"],
  ["CERT_HASH", "x509-certificate:hashes.'SHA-1'"], ["SOFTWARE", "software:name"], ["USER_NAME", "user:user_id"],
]);

/** Publishes the indicator behind a recorded intel event. Returns false for what this side does not give to Zeek: types without an object path, malformed values. */
async function publishAgain({ bus }: Parts, args: NonNullable<ReturnType<typeof eventOf>>["args"]): Promise<boolean> {
  const fields = args[0]?.type === "vector" ? args[0].value : [];
  const [ts, id, type, value, operation] = fields.map((field): string => (field.type === "timestamp" ? stixTime(field.value) : field.type === "string" ? (field.value as string) : ""));
  if (fields.length !== 5) return false;
  const path = type === "ADDR" ? `ipv${value?.includes(":") === true ? 6 : 4}-addr:value` : type === "FILE_HASH" ? `file:hashes.${value?.length === 32 ? "MD5" : "'SHA-256'"}` : paths.get(type ?? "");
  if (path === undefined) return false;
  // The removal of what had been removed comes later than that.
  const modified = operation === "REMOVE" ? new Date(Date.parse(ts ?? "") + 1_000).toISOString() : ts;
  await bus.publish(message({
    type: "indicator", spec_version: "2.1", id, created: ts, modified, valid_from: ts, pattern_type: "stix", pattern: `[${path} = '${value}']`, ...(operation === "REMOVE" && { x_threatbus_update: "REMOVE" }),
  } as never));
  return value !== "not-a-subnet" && value !== "not-an-addr";
}

describe("Zeek dials in, as recorded; this side answers as the peer did, byte by byte", () => {
  it.each([
    ["native-zeek-dials-threatbus", [1], 6],
    ["native-zeek-reconnects", [1, 2, 3], 0],
  ] as const)("%s", async (name, conns, sightings) => {
    const lines = capture(name);
    const { id, filter } = recordedPeer(lines, conns[0]);
    const on = await parts(id, filter);
    const port = await on.listen();
    const topics = new Renamed();
    for (const conn of conns) await playDialled(lines, conn, on, port, topics);
    await eventually(() => on.sightings.length, sightings);
    expect(on.sightings.every((sighting) => (sighting as unknown as Record<string, unknown>)["x_threatbus_indicator_value"] === undefined)).toBe(true);
    expect([on.host.count("zeek_frames_refused"), on.host.count("zeek_events_refused", { reason: "arguments" })]).toEqual([0, 0]);
  });

  it("native-all-types: an event that is none of ours, with a value of every kind", async () => {
    const lines = capture("native-all-types");
    const { id } = recordedPeer(lines, 1);
    const on = await parts(id, ["types/"]);
    const zeek = await FakeZeek.dial(await on.listen());
    await dribble(zeek, Buffer.concat(framesOf(lines, 1, "zeek")));
    const expected = framesOf(lines, 1, "peer").filter((frame) => frame[4] !== 7 && !frame.includes("Ty::done"));
    const answers: Buffer[] = [];
    while (answers.length < expected.length) answers.push(prefixed((await zeek.frame()) ?? Buffer.alloc(0)));
    expect(toBytes(answers)).toEqual(toBytes(expected));
    expect(on.host.count("zeek_frames_refused")).toBe(0);
  });
});

/** Connections of the recordings in which Zeek listens: whether this side is peered after Zeek's part was played. */
const listening = nativeCaptures.flatMap((name) => {
  const lines = capture(name);
  const dialled = [...new Set(lines.filter(({ from, note }) => from === "peer" && note?.startsWith("TCP connect") === true).map(({ conn }) => conn))];
  return dialled.filter((conn) => framesOf(lines, conn, "zeek").length > 0).map((conn) => ({ name, conn, lines }));
});

describe("Zeek is dialled, and answers as recorded", () => {
  it.each(listening)("$name, connection $conn", async ({ name, conn, lines }) => {
    const sent = framesOf(lines, conn, "zeek");
    const tags = sent.map((frame) => frame[4]);
    const peer = name === "native-peer-dials-zeek" ? recordedPeer(lines, conn) : { id: idIn(lines, conn), filter: ["demo/"] };
    const on = await parts(peer.id, peer.filter);
    const server = await listeningZeek();
    on.dial(server.port);
    const zeek = await server.accept();
    // Its first message is the recorded one.
    const hello = await zeek.hear();
    expect(hello).toEqual({ type: "hello", sender: peer.id, minVersion: 1, maxVersion: 1 });
    await dribble(zeek, Buffer.concat(sent));
    if (tags.includes(9)) {
      await zeek.gone;
      await eventually(() => on.host.entries.some(({ fields }) => typeof fields["code"] === "number"), true);
      return;
    }
    const zeekLed = tags.includes(10), zeekAcked = tags.includes(11);
    if (zeekLed) expect(await zeek.hear()).toEqual({ type: "responder_syn_ack", filter: peer.filter });
    else if (tags.includes(6)) {
      expect(await zeek.hear()).toMatchObject({ type: "version_select", sender: peer.id });
      expect(await zeek.hear()).toEqual({ type: "originator_syn", filter: peer.filter });
      if (zeekAcked) expect(await zeek.hear()).toEqual({ type: "originator_ack" });
    }
    if (zeekAcked || tags.includes(12)) await eventually(() => on.host.entries.some(({ text }) => text === "a Zeek is connected"), true);
    expect(on.host.count("zeek_frames_refused")).toBe(0);
    // A ping that Zeek sent is answered with its payload.
    for (const ping of pings(sent)) expect(await nextPong(zeek)).toBe(ping);
  });
});

function idIn(lines: readonly Line[], conn: number): string {
  const zeeks = new Set(framesOf(lines, conn, "zeek").filter((frame) => [6, 8, 9].includes(frame[4] ?? 0)).map((frame) => frame.subarray(9, 25).toString("hex")));
  const bytes = Buffer.concat(framesOf(lines, conn, "peer"));
  const given = bytes.length > 25 && bytes.subarray(5, 9).toString() === "ZEEK" ? bytes.subarray(9, 25).toString("hex") : "";
  // What the recorded client did wrong is not repeated: a nil or missing id becomes a small or a great one, as Zeek's answer needs.
  const nil = /^0*$/.test(given) || given.length < 32;
  if (!nil) return given;
  const zeekSaidHello = framesOf(lines, conn, "zeek").some((frame) => frame[4] === 6);
  return zeekSaidHello && zeeks.size > 0 ? "00000000000040008000000000000099" : "ffffffffffff4fffbfffffffffffff99";
}

function pings(frames: readonly Buffer[]): string[] {
  const after = frames.findIndex((frame) => frame[4] === 12 || frame[4] === 11);
  return after < 0 ? [] : frames.slice(after + 1).map((frame) => decodeMessage(frame.subarray(4))).filter(({ type }) => type === messageTypes.ping).map(({ payload }) => payload.toString("hex"));
}

async function nextPong(zeek: FakeZeek): Promise<string> {
  const { type, payload } = await zeek.message();
  expect(type).toBe(messageTypes.pong);
  return payload.toString("hex");
}

it("reads what was recorded as it was meant", () => {
  const intel = framesOf(capture("native-zeek-dials-threatbus"), 1, "peer").filter((frame) => frame.includes("Tenzir::intel"));
  expect(intel.slice(0, 3).map((frame) => intelText(eventOf(decodeValue(decodeMessage(frame.subarray(4)).payload)) as never))).toEqual(["ADD ADDR 198.51.100.23", "ADD ADDR 2001:db8::17", "ADD SUBNET 198.51.100.0/24"]);
});
