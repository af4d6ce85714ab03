import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { needs, tenzir, type Tenzir } from "../src/index.ts";
import { folderOf, listenersOf, none, tracesOf } from "./traces.ts";

const { describe } = await needs("tenzir");

describe("Tenzir", () => {
  let node: Tenzir;
  beforeAll(async () => void (node = await tenzir()));
  afterAll(() => node?.stop());

  it("listens on the loopback only, and on one port", () => {
    expect(listenersOf(folderOf(node.pid))).toEqual([{ address: "0100007F", port: node.port }]);
  });

  it("is killed and comes back with its events on the same port", async () => {
    await writeFile(`${node.folder}/eve.json`, '{"timestamp":"2026-11-20T10:00:05.123456+0000","event_type":"flow","src_ip":"10.0.0.1","dest_ip":"6.6.6.6"}\n');
    await node.run(`from_file "${node.folder}/eve.json" { read_suricata } | import`);
    const stored = async (): Promise<number> => (await node.run("export | select dest_ip | write_ndjson")).trim().split("\n").filter((line) => line !== "").length;
    await expect.poll(stored).toBe(1);
    const { pid } = node;
    const folder = folderOf(pid);
    const live = expect(node.run("export live=true | write_ndjson")).rejects.toThrow("aborted");
    await node.kill();
    await live;
    expect(tracesOf(folder, [node.port])).toEqual({ processes: 0, folder: true, listening: [] });
    await node.start();
    expect(node.pid).not.toBe(pid);
    expect(await stored()).toBe(1);
  });

  it("says what is wrong with a pipeline", async () => {
    await expect(node.run("exprt")).rejects.toThrow("operator `exprt` not found");
  });

  it("takes standard input", async () => {
    expect(await node.run("from_stdin { read_ndjson raw=true } | write_ndjson", '{"value":"1.2.3.4"}\n')).toBe('{"value":"1.2.3.4"}\n');
  });

  it("ends in order, and leaves nothing", async () => {
    const folder = folderOf(node.pid);
    await node.terminate();
    await node.stop();
    await expect.poll(() => tracesOf(folder, [node.port])).toEqual(none);
  });
});
