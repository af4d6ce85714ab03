import { seeded } from "@threatbus/testkit";
import { describe, expect, it } from "vitest";
import { FrameSplitter } from "../src/native/framing.ts";
import { decodeHandshake, HandshakeRefused } from "../src/native/handshake-message.ts";
import { Handshake } from "../src/native/handshake.ts";
import { decodeMessage, filterOf } from "../src/native/message.ts";
import { Protocol } from "../src/protocol.ts";
import { sightingOf } from "../src/intel/sighting.ts";
import { decodeValue } from "../src/wire/binary.ts";
import { eventOf, unwrap } from "../src/wire/event.ts";
import { decodeJson } from "../src/wire/json.ts";
import { WireRefused } from "../src/wire/refusal.ts";
import { bytesOf, capture, messageOf } from "./captures.ts";
import { scaled } from "./eventually.ts";

const seed = Number(process.env["THREATBUS_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
/** Inputs of each of the four decoders; the long run, `THREATBUS_TEST_SCALE=50`, has ten million in all. */
const inputs = scaled(50_000);
/** Bytes a decoder may take for itself while it works on small inputs, what is not collected yet included. */
const room = 128 * 1_048_576;
/** Bytes in use, on V8's heap and beside it. */
const inUse = (): number => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;

const native = ["native-zeek-dials-threatbus", "native-all-types", "native-zeek-reconnects"] as const;
const frames = native.flatMap((name) => capture(name).filter(({ hex }) => hex !== undefined).map((line) => bytesOf(line).subarray(4)));
const handshakes = frames.filter((frame) => frame.length < 140 && (frame[0] ?? 0) >= 6 && (frame[0] ?? 0) <= 12);
const messages = frames.filter((frame) => frame.length > 140);
const texts = [...capture("ws-strings"), ...capture("ws-cluster-zeromq-backend")].filter(({ from, kind, text = "" }) => from === "zeek" && kind === "text" && text.length < 5_000).map(messageOf);

type Random = () => number;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);
/** Bytes that begin something, in either format. */
const telling = [0, 1, 5, 0x0c, 0x0d, 0x0e, 0x0f, 0x7f, 0x80, 0xff, ...Buffer.from('{}[]",:\\uvntf-0.e')];

/** A recorded input with a few bytes changed, cut, doubled or put in; now and then bytes out of nothing. */
function mutant(random: Random, samples: readonly Buffer[]): Buffer {
  if (random() < 0.05) return Buffer.from(Array.from({ length: below(random, 64) }, () => below(random, 256)));
  let bytes = Buffer.from(samples[below(random, samples.length)] ?? []);
  for (let changes = 1 + below(random, 4); changes > 0; changes--) {
    const at = below(random, bytes.length + 1), byte = random() < 0.5 ? (telling[below(random, telling.length)] ?? 0) : below(random, 256);
    switch (below(random, 5)) {
      case 0:
        bytes = bytes.subarray(0, at);
        break;
      case 1:
        bytes = Buffer.concat([bytes.subarray(0, at), Buffer.of(byte), bytes.subarray(at)]);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(random, at + 1))]);
        break;
      default:
        if (at < bytes.length) bytes[at] = byte;
    }
  }
  return bytes;
}

const protocol = new Protocol("Tenzir");

const decoders: Readonly<Record<string, { readonly samples: readonly Buffer[]; run(bytes: Buffer): void }>> = {
  "native messages": {
    samples: messages,
    run(bytes) {
      const message = decodeMessage(bytes);
      if (message.type === 3) return void filterOf(message);
      const event = eventOf(decodeValue(message.payload));
      if (event === undefined) return;
      const request = protocol.read(event);
      if (typeof request === "object" && request.kind === "sighting") sightingOf(request.args.map(unwrap), 0, () => undefined);
    },
  },
  handshakes: {
    samples: handshakes,
    run(bytes) {
      new Handshake("ff".repeat(16), ["x"]).receive(bytes);
      decodeHandshake(bytes);
    },
  },
  streams: {
    samples: frames.map((frame) => Buffer.concat([Buffer.of(0, 0, frame.length >> 8, frame.length & 255), frame])),
    run(bytes) {
      const splitter = new FrameSplitter(4_096);
      for (const half of [bytes.subarray(0, bytes.length >> 1), bytes.subarray(bytes.length >> 1)]) for (const frame of splitter.push(half)) expect(frame.length).toBeLessThanOrEqual(4_096);
      if (splitter.held > 4_100) throw new Error("more is held than a frame");
    },
  },
  "JSON messages": {
    samples: texts,
    run(bytes) {
      const message = decodeJson(bytes);
      if (message.type === "data-message") eventOf(message.value);
    },
  },
};

describe(`decoders take or refuse whatever comes, seed ${seed}`, () => {
  it.each(Object.entries(decoders))("%s", (name, { samples, run }) => {
    process.stdout.write(`zeek fuzz: ${name}, ${inputs} inputs, THREATBUS_TEST_SEED=${seed}\n`);
    const random = seeded(seed);
    const before = inUse();
    let taken = 0, most = 0;
    for (let n = 0; n < inputs; n++) {
      const bytes = mutant(random, samples);
      try {
        run(bytes);
        taken++;
      } catch (thrown) {
        if (!(thrown instanceof WireRefused || thrown instanceof HandshakeRefused)) throw new Error(`${name}: ${bytes.toString("hex")}`, { cause: thrown });
      }
      if (n % 1_000 === 0) most = Math.max(most, inUse() - before);
    }
    process.stdout.write(`zeek fuzz: ${name}, ${taken} of ${inputs} taken, the others refused, ${(most / 1_048_576).toFixed(0)} MiB in use at most\n`);
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(inputs);
    expect(most).toBeLessThan(room);
  });
});
