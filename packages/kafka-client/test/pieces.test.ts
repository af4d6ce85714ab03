import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import fc from "fast-check";
import kafkajs from "kafkajs";
import { describe, expect, onTestFinished, test } from "vitest";
import { frameSplitter } from "../src/frames.ts";
import { KafkaFault, faultOf } from "../src/faults.ts";
import { OffsetWindow } from "../src/offset-window.ts";
import { partitionOf } from "../src/partitioner.ts";
import { SocketSet, counted } from "../src/sockets.ts";

const frameOf = (body: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
};

describe("frames", () => {
  test("come out whole, however they were cut", () => {
    fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 10 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (bodies, cuts) => {
      const frames = bodies.map(frameOf);
      const stream = Buffer.concat(frames);
      const splitter = frameSplitter(50);
      const out: Buffer[] = [];
      for (let at = 0, n = 0; at < stream.length; n++) {
        const end = at + (cuts[n % cuts.length] ?? 1);
        out.push(...splitter.push(stream.subarray(at, end)));
        at = end;
      }
      expect(out.map((frame) => frame.toString("hex"))).toEqual(frames.map((frame) => frame.toString("hex")));
    }));
  });

  test.each([[Buffer.from("HTTP/1.1 400")], [Buffer.from([0xff, 0xff, 0xff, 0xff])], [frameOf(new Uint8Array(101))]])("of a size that is not allowed are told", (bytes) => {
    expect(() => frameSplitter(100).push(bytes)).toThrow(RangeError);
  });
});

test("a break is told with its reason when the client itself ends the last connection", async () => {
  const accepted: Socket[] = [];
  const server = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => undefined).resume();
    socket.write(frameOf(Buffer.from("an answer")));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const told: [standing: number, broke: string | undefined][] = [];
  const sockets = new SocketSet({ maxAnswerBytes: 100 }, counted((standing, broke) => told.push([standing, broke?.message])));
  const open = () => sockets.open("127.0.0.1", (server.address() as AddressInfo).port, () => undefined);
  const [first, second] = [open(), open()];
  // What kafkajs does with the other connections to a broker.
  first.on("end", () => second.end());
  await expect.poll(() => told).toHaveLength(2);
  const closed = "the broker closed the connection";
  accepted[0]?.end();
  await expect.poll(() => told).toEqual([[1, undefined], [2, undefined], [1, closed], [0, closed]]);
  open().on("error", () => undefined);
  await expect.poll(() => told).toHaveLength(5);
  sockets.close();
  await expect.poll(() => told).toHaveLength(6);
  expect(told.slice(4)).toEqual([[1, undefined], [0, undefined]]);
});

test("a key goes to the partition Kafka's own clients choose", () => {
  const reference = kafkajs.Partitioners.DefaultPartitioner();
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 100 }), (key, count) => {
    const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({ partitionId, partitionErrorCode: 0, leader: 1, replicas: [], isr: [] }));
    expect(partitionOf(key, count)).toBe(reference({ topic: "t", partitionMetadata, message: { key, value: "" } }));
  }));
});

describe("an offset window", () => {
  test("commits what is done up to the first that is not, in whatever order deliveries end", () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 50 }), fc.infiniteStream(fc.nat()), (gaps, picks) => {
      const window = new OffsetWindow(0);
      let offset = -1;
      const open = gaps.map((gap) => window.take((offset += gap), String(offset))).filter((handed) => handed !== undefined);
      const left = new Set(open.map((handed) => handed.offset));
      while (open.length > 0) {
        const [handed] = open.splice((picks.next().value as number) % open.length, 1);
        if (handed === undefined) break;
        window.settle(handed);
        left.delete(handed.offset);
        const position = window.uncommitted;
        expect([...left].every((waiting) => position === undefined || waiting >= position)).toBe(true);
        if (position !== undefined && (picks.next().value as number) % 2 === 0) window.committed(position);
      }
      const end = window.uncommitted;
      if (end !== undefined) window.committed(end);
      expect([window.size, window.uncommitted]).toEqual([0, undefined]);
      expect(window.next).toBe(offset + 1);
    }));
  });

  test("hands a record over once, however often the group reads it again", () => {
    const window = new OffsetWindow();
    const [one, two] = [window.take(5, "a"), window.take(6, "b")];
    expect([window.take(5, "a"), window.take(6, "b")]).toEqual([undefined, undefined]);
    for (const handed of [one, two]) if (handed !== undefined) window.settle(handed);
    expect(window.uncommitted).toBe(7);
    // Not committed yet: still known.
    expect(window.take(6, "b")).toBeUndefined();
  });

  test("begins anew where the log is another, or the group was set back", () => {
    const window = new OffsetWindow();
    for (const offset of [10, 11]) {
      const handed = window.take(offset, `first ${offset}`);
      if (handed !== undefined) window.settle(handed);
    }
    expect(window.take(11, "second 11")).toMatchObject({ offset: 11 });
    window.committed(12);
    expect(window.take(3, "second 3")).toMatchObject({ offset: 3 });
    expect(window.next).toBe(4);
  });
});

describe("faults", () => {
  test.each<[unknown, string]>([
    [Object.assign(new Error("x"), { type: "MESSAGE_TOO_LARGE" }), "too_large"], [Object.assign(new Error("x"), { cause: Object.assign(new Error("y"), { code: "ECONNREFUSED" }) }), "away"],
    [Object.assign(new Error("list"), { errors: [Object.assign(new Error("x"), { type: "POLICY_VIOLATION" })] }), "denied"], [Object.assign(new Error("x"), { type: "OUT_OF_ORDER_SEQUENCE_NUMBER" }), "confused"],
    [Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" }), "locked_out"], [Object.assign(new Error("x"), { type: "TOPIC_AUTHORIZATION_FAILED" }), "denied"],
    ["a string", "away"], [undefined, "away"], [new KafkaFault("closed", "x"), "closed"],
  ])("%s is %s", (thrown, kind) => expect(faultOf(thrown).kind).toBe(kind));

  test("keep secrets and length to themselves", () => {
    const fault = faultOf(new Error(`password=hunter2 kafka://user:hunter2@host ${"x".repeat(10_000)}`));
    expect(fault.message).not.toContain("hunter2");
    expect(fault.message.length).toBeLessThanOrEqual(500);
  });
});
