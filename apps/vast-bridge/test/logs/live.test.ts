import { appendFile, copyFile, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { EngineError } from "../../src/engine.ts";
import type { Hit } from "../../src/engine.ts";
import { Stand, bad, conn, taking, uids, watch } from "./stand.ts";

const until = (hits: readonly Hit[], ...expected: readonly (string | number)[]) => expect.poll(() => uids(hits)).toStrictEqual(expected.map(String));

test("what is appended is matched, a line in pieces too, and what was there before is not", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), conn(1) + conn(2).slice(0, 30));
  const { hits } = taking(await watch(stand.engine(), bad));
  await appendFile(stand.path("conn.log"), conn(2).slice(30) + conn(3));
  await until(hits, 2, 3);
  const four = Buffer.from(conn("four ü"));
  for (const byte of four) await appendFile(stand.path("conn.log"), Buffer.from([byte]));
  await until(hits, 2, 3, "four ü");
  expect(hits[0]).toMatchObject({ observable: bad, field: "id.resp_h", schema: "zeek.conn" });
});

test("from the beginning, if it is asked for; files that turn up later always", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), conn(1));
  const { hits } = taking(await watch(stand.engine({ start: "beginning" }), bad));
  await until(hits, 1);
  await writeFile(stand.path("later.log"), conn(2));
  await until(hits, 1, 2);
});

test("what is added is matched from then on, what is removed no more", async () => {
  const stand = await Stand.make();
  const file = stand.path("conn.log");
  await writeFile(file, "");
  const session = await watch(stand.engine());
  const { hits } = taking(session);
  const marker = { kind: "ip", value: "203.0.113.77" } as const;
  await session.add([{ ...marker, indicator: "indicator--2" }, { ...bad, indicator: "indicator--1" }]);
  await appendFile(file, conn(1) + conn("mark", marker.value));
  await until(hits, 1, "mark");
  await session.remove([bad]);
  await appendFile(file, conn(2) + conn("mark", marker.value));
  await until(hits, 1, "mark", "mark");
});

test("a file that is renamed is read to its end, and the new one from its beginning", async () => {
  const stand = await Stand.make();
  const file = stand.path("eve.json");
  await writeFile(file, "");
  const { hits } = taking(await watch(stand.engine({ files: [file] }), bad));
  for (let turn = 0; turn < 5; turn++) {
    await appendFile(file, conn(`${turn}a`));
    await rename(file, stand.path(`eve.json.${turn}`));
    await appendFile(stand.path(`eve.json.${turn}`), conn(`${turn}b`));
    await writeFile(file, conn(`${turn}c`));
    await expect.poll(() => hits.length).toBe(3 * turn + 3);
  }
  expect(uids(hits).sort()).toStrictEqual([0, 1, 2, 3, 4].flatMap((turn) => ["a", "b", "c"].map((part) => `${turn}${part}`)));
});

test("a file that is copied and cut goes on, and the copy is not matched again", async () => {
  const stand = await Stand.make();
  const file = stand.path("conn.log");
  await writeFile(file, "");
  const { hits } = taking(await watch(stand.engine(), bad));
  await appendFile(file, conn(1) + conn(2));
  await until(hits, 1, 2);
  await copyFile(file, stand.path("conn.log.1"));
  await truncate(file, 0);
  await appendFile(file, conn(3, bad.value, 1_772_600_999));
  await until(hits, 1, 2, 3);
  await appendFile(stand.path("conn.log.1"), conn(4));
  await until(hits, 1, 2, 3, 4);
});

test("a file that is written anew and longer at once is noticed by its beginning", async () => {
  const stand = await Stand.make();
  const file = stand.path("conn.log");
  await writeFile(file, "");
  const { hits } = taking(await watch(stand.engine(), bad));
  await appendFile(file, conn(1));
  await until(hits, 1);
  await writeFile(file, conn(2, bad.value, 1_772_600_999) + conn(3));
  await until(hits, 1, 2, 3);
});

test("after a restart it goes on where it was, over a rotation too, and offers again what was in hand", async () => {
  const stand = await Stand.make();
  const file = stand.path("eve.json");
  const options = { files: [file] };
  await writeFile(file, "");
  const first = await watch(stand.engine(options), bad);
  const iterator = first.hits[Symbol.asyncIterator]();
  await appendFile(file, conn(1) + conn("no", "192.0.2.1") + conn(2) + conn(3));
  expect(uids([(await iterator.next()).value as Hit, (await iterator.next()).value as Hit])).toStrictEqual(["1", "2"]);
  await first.close();
  await expect(iterator.next()).resolves.toStrictEqual({ done: true, value: undefined });
  await appendFile(file, conn(4));
  await rename(file, stand.path("eve.json.1"));
  await writeFile(file, conn(5));
  const second = taking(await watch(stand.engine(options), bad));
  // The second was done with when the third was asked for, after the end.
  await expect.poll(() => uids(second.hits).sort()).toStrictEqual(["3", "4", "5"]);
});

test("a hit that nobody came back for is offered again", async () => {
  const stand = await Stand.make();
  const file = stand.path("conn.log");
  await writeFile(file, "");
  const first = await watch(stand.engine(), bad);
  await appendFile(file, conn(1) + conn(2));
  expect(uids([(await first.hits[Symbol.asyncIterator]().next()).value as Hit])).toStrictEqual(["1"]);
  await first.close();
  await first.close();
  const { hits } = taking(await watch(stand.engine(), bad));
  await until(hits, 1, 2);
});

test("close ends the hits, and what comes after is refused", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), "");
  const session = await watch(stand.engine(), bad);
  const { over } = taking(session);
  await session.close();
  await over;
  await expect(session.add([])).rejects.toThrow(EngineError);
  await expect(session.remove([])).rejects.toThrow(EngineError);
});

test("another session takes the place of the one before", async () => {
  const stand = await Stand.make();
  const file = stand.path("conn.log");
  await writeFile(file, "");
  const engine = stand.engine();
  const first = taking(await watch(engine, bad));
  const second = taking(await watch(engine, { kind: "ip", value: "203.0.113.10" }));
  await first.over;
  await appendFile(file, conn(1) + conn(2, "203.0.113.10"));
  await until(second.hits, 2);
  expect(first.hits).toStrictEqual([]);
});

test("a file that goes is let go, one that is compressed is left to searches, and a lost rest is told", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), "");
  await writeFile(stand.path("conn.0.log.gz"), conn(0));
  const first = await watch(stand.engine({ start: "beginning" }), bad);
  const one = taking(first);
  await appendFile(stand.path("conn.log"), conn(1));
  await until(one.hits, 1);
  await first.close();
  await rm(stand.path("conn.log"));
  const two = taking(await watch(stand.engine(), bad));
  expect(stand.said.map(({ text }) => text)).toContain("a file that was watched is gone; what was written to it since was not watched");
  await writeFile(stand.path("conn.log"), conn(2));
  await until(two.hits, 2);
});

test("a state that is no state is an error that says what to do", async () => {
  const stand = await Stand.make();
  await writeFile(`${stand.state}/positions.json`, "{");
  const opening = watch(stand.engine(), bad);
  await expect(opening).rejects.toMatchObject({ permanent: true, hint: expect.stringContaining("positions.json") as string });
});

test("what is written down is whole", async () => {
  const stand = await Stand.make();
  await writeFile(stand.path("conn.log"), conn(1));
  const session = await watch(stand.engine(), bad);
  await session.close();
  const { version, files } = JSON.parse(await readFile(`${stand.state}/positions.json`, "utf8")) as { version: number; files: { path: string; offset: number }[] };
  expect({ version, files: files.map(({ path, offset }) => ({ path, offset })) }).toStrictEqual({ version: 1, files: [{ path: stand.path("conn.log"), offset: conn(1).length }] });
});
