import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, it } from "vitest";
import { needs } from "../src/index.ts";
import { privateFolder, removeFolder } from "../src/folder.ts";
import { marker, processesOf } from "../src/processes.ts";
import { folderOf } from "./traces.ts";

const { describe } = await needs("kafka");

/** The id of a process that has ended. */
const departed = (): number => spawnSync("true").pid;

it("ends and removes what an owner left that is gone, and nothing else", async () => {
  const left = mkdtempSync(join(tmpdir(), `threatbus-service-${departed()}-test-`));
  const [stray, bystander] = [left, "elsewhere"].map((folder) => spawn("sleep", ["60"], { env: { ...process.env, [marker]: folder } }));
  await expect.poll(() => processesOf(left)).toEqual([stray?.pid]);
  const own = await privateFolder("test");
  expect([left, own].map((folder) => existsSync(folder))).toEqual([false, true]);
  await expect.poll(() => stray?.signalCode).toBe("SIGKILL");
  expect(bystander?.exitCode ?? bystander?.signalCode).toBeNull();
  bystander?.kill();
  removeFolder(own);
  expect(existsSync(own)).toBe(false);
});

/** A process that starts a Kafka, prints its process id, and goes on with `then`. It runs what is built: Node 20 cannot run the sources. */
async function owner(then: string): Promise<{ child: ChildProcess; pid: number }> {
  const built = join(import.meta.dirname, "..", "dist", "index.js");
  if (!existsSync(built)) throw new Error("not built; run npm run build");
  const code = `const { kafka } = await import(${JSON.stringify(built)}); console.log((await kafka()).pid); ${then}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, pid: Number(line) };
}

describe("a broker", () => {
  it("dies with a process that is killed", async () => {
    const { child, pid } = await owner("setInterval(() => undefined, 1000);");
    const folder = folderOf(pid);
    expect(processesOf(folder)).toEqual([pid]);
    child.kill("SIGKILL");
    await expect.poll(() => processesOf(folder)).toEqual([]);
    removeFolder(folder);
  });

  it("keeps no process from ending, and ends with it", async () => {
    const { child, pid } = await owner("process.stdin.resume();");
    const folder = folderOf(pid);
    child.stdin?.end();
    expect(await once(child, "exit")).toEqual([0, null]);
    expect(existsSync(folder)).toBe(false);
    await expect.poll(() => processesOf(folder)).toEqual([]);
  });
});
