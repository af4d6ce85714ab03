import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Child, endStrays, type Step } from "../src/child.ts";

const node = process.execPath;
const folder = mkdtempSync(join(tmpdir(), "child-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Asked twice, then made to, in less time than usual, and time enough to hear it. */
const quickly: readonly Step[] = [["SIGTERM", 2_000], ["SIGTERM", 2_000], ["SIGKILL", 60_000]];

function script(code: string, steps?: readonly Step[]): Child {
  return new Child({ file: node, args: ["-e", code] }, steps);
}

async function all(lines: AsyncIterable<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

function lives(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a child", () => {
  it("gives its lines and how it ended", async () => {
    const child = script(`console.log("one\\ntwo"); console.error("bad"); process.exitCode = 3`);
    expect(await all(child.lines())).toEqual(["one", "two"]);
    expect(await child.exit).toEqual({ code: 3, stderr: "bad\n" });
    expect(lives(child.pid)).toBe(false);
  });

  it("takes input, and drops what a program does not read", async () => {
    const cat = new Child({ file: "cat", args: [] });
    const lines = all(cat.lines());
    await cat.write("a\nb\n");
    cat.endInput();
    expect(await lines).toEqual(["a", "b"]);
    const deaf = script("process.exit(0)");
    for (let i = 0; i < 64; i++) await deaf.write("x".repeat(64 * 1024));
    expect((await deaf.exit).code).toBe(0);
  });

  it.each([
    ["is not there", { file: "/nowhere/vast", args: [] }, "ENOENT"],
    ["may not be run", { file: folder, args: [] }, "EACCES"],
    ["has an argument that is too long", { file: "true", args: ["x".repeat(4_000_000)] }, "E2BIG"],
  ])("says why one that %s did not start", async (_case, command, failure) => {
    const child = new Child(command);
    expect(await all(child.lines())).toEqual([]);
    expect(await child.exit).toEqual({ failure, stderr: "" });
    expect(await child.stop()).toEqual({ failure, stderr: "" });
  });

  it("is made to wait by who does not read", async () => {
    const stalled = join(folder, "stalled");
    const child = script(`
      let n = 0, timer;
      const more = () => {
        clearTimeout(timer);
        while (process.stdout.write("x".repeat(999) + "\\n")) n++;
        timer = setTimeout(() => require("node:fs").writeFileSync(${JSON.stringify(stalled)}, String(n)), 300);
      };
      process.stdout.on("drain", more);
      more();`);
    expect((await child.lines().next()).value).toHaveLength(999);
    await expect.poll(() => existsSync(stalled)).toBe(true);
    await child.stop();
  });

  it("is asked, asked again, and made to end, with all that it started", async () => {
    const stubborn = script(`process.on("SIGTERM", () => console.log("no")); const { pid } = require("node:child_process").spawn("sleep", ["600"]); console.log(pid); setInterval(() => 0, 1000)`, quickly);
    const lines = stubborn.lines();
    const grandchild = Number((await lines.next()).value);
    const heard = all(lines);
    expect(await stubborn.stop()).toEqual({ signal: "SIGKILL", stderr: "" });
    expect(await heard).toEqual(["no", "no"]);
    await expect.poll(() => lives(grandchild)).toBe(false);
    expect(await stubborn.stop()).toEqual({ signal: "SIGKILL", stderr: "" });
  });

  it("keeps the end of what it complains of", async () => {
    const { stderr } = await script(`process.stderr.write("x".repeat(100_000) + "the end")`).exit;
    expect(stderr).toMatch(/^x+the end$/);
    expect(stderr).toHaveLength(8 * 1024);
  });
});

describe.runIf(process.platform === "linux")("what a killed bridge left", () => {
  it("is ended by the next, and nothing else is", async () => {
    const stray = spawn("sleep", ["600"], { env: { ...process.env, VAST_THREATBUS_OWNER: folder }, detached: true });
    const other = new Child({ file: "sleep", args: ["600"], owner: `${folder}-other` });
    expect(await endStrays(folder)).toBe(1);
    await expect.poll(() => stray.signalCode).toBe("SIGTERM");
    expect(await endStrays(folder)).toBe(0);
    expect(lives(other.pid)).toBe(true);
    await other.stop();
  });

  it("carries its owner", async () => {
    const child = new Child({ file: "sleep", args: ["600"], owner: folder });
    await expect.poll(() => endStrays(folder)).toBe(1);
    expect((await child.exit).signal).toBe("SIGTERM");
  });
});

it("leads a process group of its own, which Ctrl-C in the bridge's terminal does not reach", async () => {
  const child = new Child({ file: "sh", args: ["-c", "ps -o pgid= -p $$"] });
  expect(Number((await all(child.lines()))[0])).toBe(child.pid);
});
