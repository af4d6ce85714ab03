/** A lock that processes share, with processes that end as they like. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lockFile } from "../src/index.ts";
import type { FileLock } from "../src/index.ts";

let folder = "", path = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "threatbus-lock-"));
  path = join(folder, "state.lock");
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(ended));
  rmSync(folder, { recursive: true });
});

const kindOf = (lock: FileLock): unknown => ("holder" in lock ? lock.holder : "taken");

/** Takes the lock when told to, says who has it, and lives on with it. */
const program = `
  import { lockFile } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)};
  process.stdin.once("data", () => {
    const lock = lockFile(process.env.LOCK_PATH);
    console.log(String(lock.holder ?? "taken"));
  });
  console.log("ready");`;

async function contender(): Promise<{ child: ChildProcess; take(): Promise<string> }> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { env: { ...process.env, LOCK_PATH: path }, stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  await lines.next();
  return {
    child,
    async take() {
      child.stdin?.write("now\n");
      return String((await lines.next()).value);
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const end = once(child, "exit");
  child.kill("SIGKILL");
  await end;
}

test("one takes it, others are told who has it, and it is free again when given free", () => {
  const first = lockFile(path);
  expect([kindOf(first), kindOf(lockFile(path))]).toStrictEqual(["taken", process.pid]);
  if ("release" in first) first.release();
  const second = lockFile(path);
  // What gives free what it no longer has does no harm.
  if ("release" in first) first.release();
  expect([kindOf(second), kindOf(lockFile(path))]).toStrictEqual(["taken", process.pid]);
  if ("release" in second) second.release();
  expect(readdirSync(folder)).toStrictEqual([]);
});

test("what a killed process left is seen through", async () => {
  const { child, take } = await contender();
  expect(await take()).toBe("taken");
  expect(kindOf(lockFile(path))).toBe(child.pid);
  await ended(child);
  expect(kindOf(lockFile(path))).toBe("taken");
});

test("so is what another left whose number a living process has by now, and what is no lock", () => {
  const living = { pid: process.ppid, began: "1" };
  for (const left of [JSON.stringify(living), JSON.stringify({ pid: process.pid, began: "1" }), "", "{", "null", JSON.stringify({ pid: -1 }), JSON.stringify({ pid: "1" })]) {
    writeFileSync(path, left);
    const lock = lockFile(path);
    expect([left, kindOf(lock)]).toStrictEqual([left, "taken"]);
    if ("release" in lock) lock.release();
  }
});

test("of many that find what one left, one gets it", async () => {
  for (let round = 0; round < 3; round++) {
    writeFileSync(path, JSON.stringify({ pid: process.pid, began: "1" }));
    const contenders = await Promise.all(Array.from({ length: 6 }, contender));
    const said = await Promise.all(contenders.map(({ take }) => take()));
    const winner = contenders[said.indexOf("taken")]?.child.pid;
    expect(said.filter((who) => who === "taken")).toHaveLength(1);
    expect(new Set(said)).toStrictEqual(new Set(["taken", String(winner)]));
    expect((JSON.parse(readFileSync(path, "utf8")) as { pid: number }).pid).toBe(winner);
    await Promise.all(children.splice(0).map(ended));
  }
});

test("a folder that is not there is the caller's affair", () => {
  expect(() => lockFile(join(folder, "none", "lock"))).toThrow(expect.objectContaining({ code: "ENOENT" }) as Error);
});
