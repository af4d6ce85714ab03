import { truncate, utimes, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { systemClock } from "@threatbus/core";
import { Stand, bad, conn, uids } from "./stand.ts";
import { lines } from "../events.ts";

const day = 86_400;

test("files are searched from the one written to last, lines from the last, compressed ones forwards", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), conn(6) + conn("no", "192.0.2.1") + conn(7));
  await writeFile(stand.path("conn.1.log.gz"), gzipSync(conn(4) + conn(5)));
  await writeFile(stand.path("conn.2.log"), conn(2) + conn(3).trimEnd());
  const now = Date.now() / 1_000;
  for (const [name, age] of [["conn.log", 0], ["conn.1.log.gz", 1], ["conn.2.log", 2]] as const) await utimes(stand.path(name), now, now - age * day);
  const { hits, end } = await stand.search(stand.engine(), [bad]);
  expect(uids(hits)).toStrictEqual(["7", "6", "4", "5", "3", "2"]);
  expect(end).toStrictEqual({});
  expect(hits[0]).toMatchObject({ observable: bad, field: "id.resp_h", schema: "zeek.conn" });
});

test("events of Suricata and OCSF tell what they are and when", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("a.json"), `${lines.suricata8.response}\n${lines.ocsf.dns}\n`);
  const { hits } = await stand.search(stand.engine(), [bad, { kind: "ip", value: "203.0.113.53" }]);
  expect(hits.map(({ schema, time }) => ({ schema, time }))).toStrictEqual([
    { schema: "ocsf.dns_activity", time: "2026-03-04T05:06:07.891Z" },
    { schema: "suricata.dns", time: undefined },
  ]);
});

test("the limit is per observable, and what was cut short is told", async () => {
  const stand = await Stand.make();
  const other = { kind: "ip", value: "203.0.113.10" } as const;
  await writeFile(stand.path("conn.log"), conn(1, other.value) + Array.from({ length: 5 }, (_, n) => conn(n + 2)).join(""));
  const { hits, end } = await stand.search(stand.engine(), [bad, other], { limit: 2 });
  expect(uids(hits)).toStrictEqual(["6", "5", "1"]);
  expect(end).toStrictEqual({ truncated: "limit", observables: [bad] });
});

test("events and files from before the time asked for are left alone", async () => {
  const stand = await Stand.make();
  const since = 1_772_600_000_000;
  await writeFile(stand.path("conn.log"), conn(1, bad.value, 1_772_599_999) + conn(2) + JSON.stringify({ timestamp: "2026-03-04T04:53:19.999999+0000", event_type: "flow", dest_ip: bad.value, uid: "3" }) + "\n");
  await writeFile(stand.path("old.log"), conn(4));
  await utimes(stand.path("old.log"), since / 1_000 - 1, since / 1_000 - 1);
  expect(uids((await stand.search(stand.engine(), [bad], { since })).hits)).toStrictEqual(["2"]);
  expect(uids((await stand.search(stand.engine(), [bad])).hits).sort()).toStrictEqual(["1", "2", "3", "4"]);
});

test("at the deadline a search ends with what it has", async () => {
  const stand = await Stand.make();
  let now = 0;
  await writeFile(stand.path("conn.log"), Array.from({ length: 6_000 }, (_, n) => conn(n)).join(""));
  const engine = stand.engine({}, { ...systemClock, now: () => now });
  const found: unknown[] = [];
  const end = await engine.retro?.search([bad], { limit: Infinity, deadline: 1_000, signal: new AbortController().signal }, async ({ event }) => {
    found.push(event["uid"]);
    now = 1_000;
  });
  expect(end).toStrictEqual({ truncated: "deadline" });
  expect(found[0]).toBe("5999");
  expect(found.length).toBeLessThan(6_000);
});

test("a search that is called off, and an engine that stops, end at once; what `take` throws is thrown", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), conn(1) + conn(2));
  const off = new AbortController();
  const engine = stand.engine();
  const search = (take: () => Promise<void>) => engine.retro?.search([bad], { limit: Infinity, deadline: Infinity, signal: off.signal }, take);
  await expect(search(async () => Promise.reject(Object.assign(new Error("full"), { code: "ENOSPC" })))).rejects.toThrow("full");
  await expect(search(async () => off.abort(new Error("enough")))).rejects.toThrow("enough");
  await expect(search(async () => undefined)).rejects.toThrow("enough");
  await engine.stop();
  await engine.stop();
});

test("a file that cannot be read, one that is no gzip, one with long lines and one without JSON are told of once, and spoil no other", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("good.log"), conn(1));
  await writeFile(stand.path("half.log.gz"), gzipSync(conn(2) + conn(3).repeat(20_000)).subarray(0, -200));
  await writeFile(stand.path("none.log.gz"), "no gzip");
  await writeFile(stand.path("tsv.log"), "#separator \\x09\n1.0\t203.0.113.9\n");
  await writeFile(stand.path("long.log"), `${conn(4)}{"a":"${"x".repeat(700_000)}"}\n${conn(5)}`);
  await writeFile(stand.path("sparse.log"), "");
  await truncate(stand.path("sparse.log"), 3_000_000);
  const engine = stand.engine({ max_line: 65_536 });
  const { hits } = await stand.search(engine, [bad], { limit: 30_000 });
  await stand.search(engine, [bad], { limit: 1 });
  expect([...new Set(uids(hits))].sort()).toStrictEqual(["1", "2", "3", "4", "5"]);
  expect(stand.said.map(({ text, fields }) => `${(fields as { file: string }).file.split("/").at(-1)}: ${text.split(/[;,]/)[0]}`).sort()).toStrictEqual([
    "half.log.gz: a file cannot be read",
    "long.log: a file has lines longer than max_line",
    "none.log.gz: a file cannot be read",
    "sparse.log: a file has lines longer than max_line",
    "tsv.log: a file has lines that are no JSON objects",
  ]);
});

test("whatever the lines' lengths, each is searched once", async () => {
  const stand = await Stand.make();
  const engine = stand.engine();
  const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 400 }), fc.integer({ min: 100_000, max: 300_000 })), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(lengths, fc.boolean(), async (fillers, closed) => {
      const text = fillers.map((length, n) => conn(n).replace('"proto"', `"filler":"${"x".repeat(length)}","proto"`)).join("");
      await writeFile(stand.path("conn.log"), closed ? text : text.trimEnd());
      const { hits } = await stand.search(engine, [bad]);
      expect(uids(hits)).toStrictEqual(fillers.map((_, n) => String(n)).reverse());
    }),
    { numRuns: 25 },
  );
});

test.each([["compressed, a bomb", true], ["sparse", false]])("a file with no end of a line (%s) does not hold up the deadline", async (_, compressed) => {
  const stand = await Stand.make();
  const size = 64 << 20;
  if (compressed) await writeFile(stand.path("a.log.gz"), gzipSync(Buffer.alloc(size, "x")));
  else {
    await writeFile(stand.path("a.log"), "");
    await truncate(stand.path("a.log"), size);
  }
  let asked = 0;
  const { end } = await stand.search(stand.engine({ max_line: 65_536 }, { ...systemClock, now: () => ++asked }), [bad], { deadline: 100 });
  expect(end).toStrictEqual({ truncated: "deadline" });
  const all = await stand.search(stand.engine({ max_line: 65_536 }), [bad]);
  expect(all).toStrictEqual({ hits: [], end: {} });
});

test("events that are hostile, deep, large or full of what is watched for, are found whole", async () => {
  const stand = await Stand.make();
  const depth = 200_000;
  const event = conn("deep").trimEnd().slice(0, -1);
  await writeFile(
    stand.path("conn.log"),
    `${event},"x":${"[".repeat(depth)}${"]".repeat(depth)}}\n${event},"x":${'{"a":'.repeat(depth / 2)}1${"}".repeat(depth / 2)}}\n` +
      `${event},"answers":[${Array.from({ length: 30_000 }, () => `"${bad.value}"`).join()}]}\n${event},"__proto__":{"src":"${bad.value}"},"uid":"proto"}\n` +
      `${event},"x":"${String.raw`\",`.repeat(200_000)}"}\n${event},"x":"${"\\".repeat(400_000)}"}\n`,
  );
  const { hits } = await stand.search(stand.engine(), [bad]);
  expect(uids(hits)).toStrictEqual(["deep", "deep", "proto", "deep", "deep", "deep"]);
});

test("what a dry run says names the fields and the files", async () => {
  const stand = await Stand.make();
  expect(stand.engine({ presets: ["zeek"] }).explain({ kind: "url", value: 'http://e/"' })).toStrictEqual([`"http://e/\\"" in referrer, san.uri[], host + uri of ${JSON.stringify(stand.path("*"))}`]);
});
