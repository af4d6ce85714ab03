import fc from "fast-check";
import { expect, test } from "vitest";
import { Sequence } from "../src/sequence.ts";
import { readGrant, readMessage, readReason, readReply, readSequence, writeMessage } from "../src/wire.ts";

const scale = Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);
const channel = "abcdefghijklmnopqrstuvwxyzabcdef";
const frameOf = (rest: string | Buffer): Buffer => Buffer.concat([Buffer.from(channel), Buffer.from(rest)]);
const read = (rest: string | Buffer): ReturnType<typeof readMessage> => readMessage(frameOf(rest), channel.length);
const grantOf = (reply: unknown): ReturnType<typeof readGrant> => {
  const read = readReply([Buffer.from(JSON.stringify(reply))]);
  return read === undefined ? undefined : readGrant(read);
};

test("a message is its type, one space and its payload", () => {
  expect(read('indicator {"type":"indicator","id":"indicator--1"}')).toMatchObject({ type: "indicator", body: { id: "indicator--1" } });
  expect(read("rule title: a rule\nof two lines")).toMatchObject({ type: "rule", body: "title: a rule\nof two lines" });
  const request = { type: "snapshotrequest", snapshot_type: 1, snapshot_id: "x", snapshot: 60 };
  expect(read(`snapshotrequest ${JSON.stringify(request)}`)).toMatchObject({ type: "snapshotrequest", body: request });
});

test("the content decides the type", () => {
  expect(read('indicator {"type":"sighting"}')).toMatchObject({ type: "sighting" });
});

test.each([
  ["no space", "indicator"],
  ["no type", ' {"type":"indicator"}'],
  ["an endless type", `${"a".repeat(300)} {"type":"indicator"}`],
  ["cut JSON", 'indicator {"type":"indic'],
  ["a number", "indicator 1"],
  ["null", "indicator null"],
  ["a list", 'indicator [{"type":"indicator"}]'],
  ["a type that is no text", 'indicator {"type":1}'],
  ["JSON that claims to be a rule", 'indicator {"type":"rule"}'],
  ["a snapshot request of no known kind", 'snapshotrequest {"type":"snapshotrequest","snapshot_type":3,"snapshot_id":"x","snapshot":1}'],
  ["a snapshot request without an id", 'snapshotrequest {"type":"snapshotrequest","snapshot_type":1,"snapshot":1}'],
  ["bytes that are no UTF-8", Buffer.from([...Buffer.from("rule "), 0xff, 0xfe])],
  ["a pit", `indicator {"type":"indicator","x":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
])("%s is malformed", (_, rest) => {
  expect(read(rest)).toBeTypeOf("string");
});

test("a prototype in JSON stays a property", () => {
  const message = read('indicator {"type":"indicator","__proto__":{"polluted":true}}');
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  expect(typeof message === "string" || Object.getPrototypeOf(message.body)).toBe(Object.prototype);
});

test("any bytes are a message or a reason, any reply is read or not", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const message = read(Buffer.from(bytes));
      expect(typeof message === "string" || typeof message.type === "string").toBe(true);
      const reply = readReply([bytes]);
      if (reply !== undefined) readGrant(reply);
    }),
    { numRuns: 1_000 * scale },
  );
});

test("any JSON is a message or a reason", () => {
  fc.assert(
    fc.property(fc.json(), fc.stringMatching(/^[a-z-]{1,20}$/), (json, type) => {
      const message = read(`${type} ${json}`);
      if (typeof message === "string") return;
      if (type === "rule") expect(message.body).toBe(json);
      else expect(JSON.stringify(message.body)).toBe(JSON.stringify(JSON.parse(json)));
    }),
    { numRuns: 1_000 * scale },
  );
});

test("what is published is read back", () => {
  const type = fc.stringMatching(/^[a-z][a-z-]{2,20}$/).filter((word) => word !== "rule" && !word.startsWith("snapshot"));
  const object = fc.record({ type, x_text: fc.string({ unit: "grapheme" }) });
  fc.assert(
    fc.property(object, (body) => {
      const { topic, frame } = writeMessage(body as never, 100_000);
      expect(topic).toBe(`stix2/${body.type}`);
      expect(frame.subarray(0, topic.length + 1).toString()).toBe(`${topic} `);
      expect(readMessage(frame, "stix2/".length)).toMatchObject({ type: body.type, body });
    }),
    { numRuns: 500 * scale },
  );
});

test("rules and ready JSON keep their bytes", () => {
  const { topic, frame } = writeMessage({ topic: "yara/rule", payload: Buffer.from("rule x { condition: true }") }, 100);
  expect([topic, frame.toString()]).toEqual(["yara/rule", "yara/rule rule x { condition: true }"]);
});

test.each([
  [undefined], [null], [1], ["text"], [[]], [{}], [{ type: 1 }], [{ type: "a b" }],
  [{ topic: "noslash", payload: "" }], [{ topic: "a/b c", payload: "" }], [{ topic: "sigma/rule" }],
])(
  "%j cannot be published",
  (message) => {
    expect(() => writeMessage(message as never, 100)).toThrow(TypeError);
  },
);

test("the size limit is of the payload alone", () => {
  expect(() => writeMessage({ topic: "sigma/rule", payload: "x".repeat(101) }, 100)).toThrow(RangeError);
  expect(writeMessage({ topic: "sigma/rule", payload: "x".repeat(100) }, 100).topic).toBe("sigma/rule");
});

const granted = { topic: channel, pub_port: 13371, sub_port: 13372, status: "success" };

test("a grant is read with and without sequence numbers", () => {
  expect(grantOf(granted)).toEqual({ channel, pubPort: 13371, subPort: 13372, sequenced: false });
  const numbered = { ...granted, features: ["other", "seq"], pub_port: "13371" };
  expect(grantOf(numbered)).toEqual({ channel, pubPort: 13371, subPort: 13372, sequenced: true });
});

test.each([
  [{ topic: "" }], [{ topic: 5 }], [{ topic: "x".repeat(256) }], [{ topic: "a b" }], [{ topic: "a\n" }],
  [{ pub_port: 0 }], [{ pub_port: 65_536 }], [{ pub_port: 1.5 }],
  [{ sub_port: "80;tcp://x:1" }], [{ sub_port: null }], [{ pub_port: -1 }],
])("no grant with %j", (wrong) => {
  expect(grantOf({ ...granted, ...wrong })).toBeUndefined();
});

test("features of any shape do no harm", () => {
  const harmless = fc.property(fc.jsonValue(), (features) => void expect(grantOf({ ...granted, features })).toMatchObject({ channel }));
  fc.assert(harmless, { numRuns: 200 * scale });
});

test("a bus's reason is cut and loses its control characters", () => {
  const reply = readReply([Buffer.from(JSON.stringify({ status: "error", reason: `\u001b[31m\n${"x".repeat(500)}` }))]);
  const reason = reply === undefined ? undefined : readReason(reply);
  expect(reason).toHaveLength(200);
  expect(reason).not.toMatch(/\p{C}/u);
});

test("sequence numbers are 64 bits, big-endian, from 1", () => {
  expect(readSequence(Buffer.from([0, 0, 0, 0, 0, 0, 1, 2]))).toBe(258);
  for (const wrong of [undefined, Buffer.alloc(0), Buffer.alloc(8), Buffer.alloc(9, 1), Buffer.alloc(8, 0xff)]) {
    expect(readSequence(wrong)).toBeUndefined();
  }
});

test("gaps are exact for whatever is left out", () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 200 }), (kept) => {
      const sequence = new Sequence();
      let missing = 0, lastKept = 0;
      kept.forEach((keep, index) => {
        if (!keep) return;
        lastKept = index + 1;
        const gap = sequence.observe(lastKept);
        if (gap !== undefined) {
          expect(gap.missing).toBe(gap.before - gap.after - 1);
          missing += gap.missing;
        }
      });
      expect(missing).toBe(kept.slice(0, lastKept).filter((keep) => !keep).length);
    }),
    { numRuns: 500 * scale },
  );
});
