import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { needs, tenzir, type Tenzir } from "@threatbus/services";
import { afterAll, beforeAll, expect, it } from "vitest";
import { endStrays } from "../../src/child.ts";
import { EngineError, type Hit } from "../../src/engine.ts";
import type { Observable } from "../../src/observable.ts";
import { searched, stand, watch, watched, type Stand } from "./stand.ts";

const { describe } = await needs("tenzir");

let flows = 0;
/** Flows to an address, each with a number of its own. Resolves with the numbers when the node has taken them. */
async function flow(node: Tenzir, address: string, count = 1): Promise<number[]> {
  const numbers = Array.from({ length: count }, () => flows++);
  const lines = numbers.map((flow_id) => JSON.stringify({ timestamp: "2026-03-04T05:06:07.891011+0000", flow_id, event_type: "flow", src_ip: "192.0.2.1", dest_ip: address }));
  await node.run("from_stdin { read_suricata } | import", `${lines.join("\n")}\n`);
  return numbers;
}

const numbersOf = (hits: readonly Hit[]): number[] => hits.map(({ event }) => Number(event["flow_id"]));
const sorted = (numbers: Iterable<number>): number[] => [...new Set(numbers)].sort((a, b) => a - b);
const ip = (value: string): Observable => ({ kind: "ip", value });

describe("a Tenzir node that fails", () => {
  let node: Tenzir;
  const stands: Stand[] = [];
  const another = async (options: Parameters<typeof stand>[2] = {}, stateDir?: string): Promise<Stand> => {
    const made = await stand(node.endpoint, node.binary, { silence: 20, call_timeout: 300, ...options }, stateDir);
    stands.push(made);
    return made;
  };
  /** Names of the tables of one bridge. A node that is killed forgets what it removed of others. */
  const tables = async ({ stateDir }: Stand): Promise<string[]> => {
    const identity = await readFile(join(stateDir, "identity"), "utf8");
    const lines = (await node.run("context_list | select name | write_ndjson")).split("\n").filter((line) => line !== "");
    return lines.map((line) => (JSON.parse(line) as { name: string }).name).filter((name) => name.includes(identity));
  };

  beforeAll(async () => void (node = await tenzir()));
  afterAll(async () => {
    await Promise.all(stands.map((each) => each.stop()));
    await node?.stop();
  });

  it("is noticed when killed under load; once it is back, the tables are full again and nothing is missed", async () => {
    const own = await another();
    const { engine } = own;
    const first = await watch(engine, [ip("203.0.113.1"), ip("203.0.113.2")]);
    await first.session.remove([ip("203.0.113.2")]);
    await flow(node, "203.0.113.1", 20);
    await expect.poll(() => first.hits.length).toBeGreaterThan(0);
    const load = flow(node, "203.0.113.1", 5_000).catch(() => []);
    await node.kill();
    await expect(first.over).rejects.toThrow(EngineError);
    await expect(first.session.add(watched([ip("203.0.113.3")]))).rejects.toThrow(EngineError);
    await expect(engine.live?.open([], new AbortController().signal)).rejects.toThrow("cannot be reached");
    await first.session.close();
    await load;
    await node.start();
    // Nobody watches while these come.
    const unseen = await flow(node, "203.0.113.1", 5);
    const second = await watch(engine, [ip("203.0.113.1")]);
    const seen = await flow(node, "203.0.113.1", 5);
    const kept = (await node.run("export | where dest_ip == 203.0.113.1 | select flow_id | write_ndjson")).trim().split("\n").map((line) => (JSON.parse(line) as { flow_id: number }).flow_id);
    expect(kept).toEqual(expect.arrayContaining([...unseen, ...seen]));
    const all = (): number[] => sorted([...numbersOf(first.hits), ...numbersOf(second.hits)]);
    await expect.poll(() => sorted(kept).filter((number) => !all().includes(number))).toEqual([]);
    await second.session.close();
    expect(await endStrays(own.stateDir)).toBe(0);
    expect(await tables(own)).toEqual([]);
  });

  it("fails a search that is under way, and the next finds all", async () => {
    const { engine } = await another({ index_up_to: 0 });
    await flow(node, "203.0.113.10", 5_000);
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const taken: Hit[] = [];
    const search = engine.retro?.search([ip("203.0.113.10")], { limit: Infinity, deadline: Date.now() + 200_000, signal: new AbortController().signal }, async (hit) => {
      taken.push(hit);
      await held;
    });
    const failed = expect(search).rejects.toThrow(EngineError);
    await expect.poll(() => taken.length).toBe(1);
    await node.kill();
    release();
    await failed;
    await node.start();
    expect(sorted(numbersOf(await searched(engine, [ip("203.0.113.10")])))).toHaveLength(5_000);
  });

  it("is noticed when it hangs", async () => {
    const own = await another({ silence: 5 });
    const { engine } = own;
    const { session, over } = await watch(engine, [ip("203.0.113.20")]);
    node.pause();
    await expect(over).rejects.toThrow(/is silent|did not answer/);
    await expect(searched(engine, [ip("203.0.113.20")])).rejects.toThrow(EngineError);
    await session.close();
    node.resume();
    await expect.poll(() => tables(own)).toHaveLength(2);
    const again = await watch(engine, [ip("203.0.113.20")]);
    expect(await tables(own)).toHaveLength(2);
    await again.session.close();
    expect(await tables(own)).toEqual([]);
  });

  it.concurrent.for([
    ["emptied", 'from {key: 203.0.113.30} | context_erase "TABLE", key=key', "has 0 entries in place of 1"],
    ["poisoned", 'from {key: null} | context_update "TABLE", key=key, value=true', "has 2 entries in place of 1"],
  ])("or whose tables are %s by somebody else ends the session", async ([, change = "", complaint], { expect }) => {
    const own = await another({ check_interval: 0.2 });
    const { session, over } = await watch(own.engine, [ip("203.0.113.30")]);
    const table = (await tables(own)).find((name) => name.endsWith("-ip"));
    await node.run(change.replace("TABLE", table ?? ""));
    await expect(over).rejects.toThrow(complaint);
    await session.close();
  });

  it.concurrent("changes what is watched at once, in a program that runs", async ({ expect }) => {
    const { engine } = await another();
    const { session, hits, over } = await watch(engine, [ip("203.0.113.40")]);
    await session.add(watched([{ kind: "cidr", value: "203.0.113.48/28" }, ip("203.0.113.41")]));
    await flow(node, "203.0.113.50");
    await expect.poll(() => hits.length).toBe(1);
    await session.remove([{ kind: "cidr", value: "203.0.113.48/28" }, ip("203.0.113.40")]);
    // One program and one schema keep their order: what is not there before the last does not come.
    await flow(node, "203.0.113.51");
    await flow(node, "203.0.113.40");
    await flow(node, "203.0.113.41");
    await expect.poll(() => hits.length).toBe(2);
    await session.close();
    await over;
    expect(hits.map(({ event }) => event["dest_ip"])).toEqual(["203.0.113.50", "203.0.113.41"]);
  });

  it.concurrent("keeps what an earlier process left only until the next starts", async ({ expect }) => {
    const killed = await another();
    await watch(killed.engine, [ip("203.0.113.60")]);
    expect(await tables(killed)).toHaveLength(2);
    const next = await another({}, killed.stateDir);
    expect(next.log).toContain("info ended programs that an earlier process left running");
    expect(await endStrays(killed.stateDir)).toBe(0);
    expect(await tables(next)).toEqual([]);
  });

  it("does not keep an engine from starting, and its children end with it", async () => {
    await node.terminate();
    const early = await another();
    expect(early.log).toEqual(["warn the Tenzir node does not answer yet"]);
    await expect(searched(early.engine, [ip("203.0.113.70")])).rejects.toThrow("cannot be reached");
    await node.start();
    const numbers = await flow(node, "203.0.113.70", 3);
    expect(sorted(numbersOf(await searched(early.engine, [ip("203.0.113.70")])))).toEqual(numbers);
    const { session, over } = await watch(early.engine, [ip("203.0.113.70")]);
    await early.engine.stop();
    await over;
    await session.close();
    expect(await endStrays(early.stateDir)).toBe(0);
    await expect(searched(early.engine, [ip("203.0.113.70")])).rejects.toThrow("the engine is stopped");
  });
});
