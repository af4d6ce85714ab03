/** How far a search of a real node goes: so many events, so far back, so long. */
import { manualClock } from "@threatbus/testkit";
import { needs, tenzir, type Tenzir } from "@threatbus/services";
import { afterAll, beforeAll, it } from "vitest";
import { endStrays } from "../../src/child.ts";
import type { Hit, RetroBounds, RetroEnd } from "../../src/engine.ts";
import type { Observable } from "../../src/observable.ts";
import { stand, type Stand } from "./stand.ts";

const { describe } = await needs("tenzir");

const day = (n: number): string => `2026-03-${String(n).padStart(2, "0")}T05:06:07.891011`;
const flow = (n: number, dest_ip: string): string => JSON.stringify({ timestamp: `${day(n)}+0000`, event_type: "flow", flow_id: n, src_ip: "10.9.8.1", dest_ip });
const conn = (n: number, address: string): string => JSON.stringify({ _path: "conn", ts: `${day(n)}Z`, uid: `C${n}`, "id.orig_h": "10.9.8.1", "id.orig_p": 1, "id.resp_h": address, "id.resp_p": 2, proto: "tcp" });
const ip = (value: string): Observable => ({ kind: "ip", value });
const [many, few, long] = [ip("10.9.8.7"), ip("10.9.8.8"), ip("10.9.8.9")];
/** Days of the events that hold it, as they come. */
const daysOf = (hits: readonly Hit[], { value }: Observable): number[] =>
  hits.filter(({ observable }) => observable.value === value).map(({ event }) => Number(String(event["timestamp"] ?? event["ts"]).slice(8, 10)));

describe("a search of a Tenzir node", () => {
  let node: Tenzir;
  const stands: Stand[] = [];
  const another = async (...more: [options?: Parameters<typeof stand>[2], clock?: Parameters<typeof stand>[4]]): Promise<Stand> => {
    const made = await stand(node.endpoint, node.binary, more[0], undefined, more[1]);
    stands.push(made);
    return made;
  };
  const flows = (lines: readonly string[]): Promise<string> => node.run("from_stdin { read_suricata } | import", `${lines.join("\n")}\n`);
  async function search({ engine }: Stand, batch: readonly Observable[], bounds: Partial<RetroBounds>): Promise<{ hits: Hit[]; end: RetroEnd | undefined }> {
    const hits: Hit[] = [];
    const all = { limit: Infinity, deadline: Date.now() + 120_000, signal: new AbortController().signal, ...bounds };
    const end = await engine.retro?.search(batch, all, async (hit) => void hits.push(hit));
    return { hits, end };
  }

  beforeAll(async () => {
    node = await tenzir();
    // Out of order, and of two tools.
    await Promise.all([
      flows([...[4, 20, 1, 9, 2].map((n) => flow(n, many.value)), flow(3, few.value)]),
      node.run("from_stdin { read_zeek_json } | import", `${[...[21, 5, 8].map((n) => conn(n, many.value)), conn(6, few.value)].join("\n")}\n`),
    ]);
  });
  afterAll(async () => {
    await Promise.all(stands.map((each) => each.stop()));
    await node?.stop();
  });

  it.concurrent.for([["the index", {}], ["tables", { index_up_to: 0 }]] as const)("by %s gives the newest, as many of each value as it may, and tells whose were more", async ([, options], { expect }) => {
    const one = await another(options);
    const cut = await search(one, [many, few], { limit: 3 });
    expect(cut.end).toEqual({ truncated: "limit", observables: [many] });
    expect([daysOf(cut.hits, many), daysOf(cut.hits, few)]).toEqual([[21, 20, 9], [6, 3]]);
    // Exactly as many as there are: nothing is cut.
    expect((await search(one, [few], { limit: 2 })).end).toEqual({});
    expect((await search(one, [many, few], { limit: 1 })).end).toEqual({ truncated: "limit", observables: [many, few] });
  });

  it.concurrent.for([["the index", {}], ["tables", { index_up_to: 0 }]] as const)("by %s leaves out what was imported before a time", async ([name, options], { expect }) => {
    const one = await another(options);
    const own = ip(name === "tables" ? "10.9.7.1" : "10.9.7.2");
    await flows([flow(11, own.value), flow(12, own.value)]);
    const imported = async (): Promise<number[]> =>
      (await node.run(`export | where dest_ip == ${own.value} | select at=@import_time | write_ndjson`)).split("\n").filter(Boolean).map((line) => Date.parse((JSON.parse(line) as { at: string }).at));
    await expect.poll(async () => (await imported()).length).toBe(2);
    const before = Math.max(...(await imported()));
    await expect.poll(Date.now).toBeGreaterThan(before + 1);
    await flows([flow(10, own.value)]);
    expect(daysOf((await search(one, [own], { since: before + 1 })).hits, own)).toEqual([10]);
    expect(daysOf((await search(one, [own], { since: before - 60_000 })).hits, own).sort()).toEqual([10, 11, 12]);
    expect((await search(one, [own], { since: before + 86_400_000 })).hits).toEqual([]);
  });

  it.concurrent.for([["the index", {}], ["tables", { index_up_to: 0 }]] as const)("by %s ends when its time is up, with what it has, and leaves nothing behind", async ([, options], { expect }) => {
    const clock = manualClock(Date.now());
    const one = await another(options, clock);
    await flows(Array.from({ length: 5_000 }, () => flow(1, long.value)));
    const hits: Hit[] = [];
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const search = one.engine.retro?.search([long], { limit: Infinity, deadline: clock.now() + 5_000, signal: new AbortController().signal }, async (hit) => {
      hits.push(hit);
      await held;
    });
    await expect.poll(() => hits.length).toBe(1);
    await clock.advance(5_000);
    release();
    expect(await search).toEqual({ truncated: "deadline" });
    expect(hits.map(({ observable }) => observable)).toEqual([long]);
    expect(await endStrays(one.stateDir)).toBe(0);
    // Its tables are gone, too: the next search has its own, and all the time it needs.
    expect((await searchAll(one, clock.now())).length).toBeGreaterThanOrEqual(5_000);
  });

  const searchAll = async (one: Stand, now: number): Promise<Hit[]> => (await search(one, [long], { deadline: now + 60_000 })).hits;
});
