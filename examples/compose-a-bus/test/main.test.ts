import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

it("runs, ends by itself and prints what the README says", async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [at("dist/main.js")], { timeout: 60_000 });
  expect(stderr).toBe("");
  const printed = /```text\n([^`]*)```/.exec(readFileSync(at("README.md"), "utf8"))?.[1];
  const sorted = (text = ""): string[] => text.trim().split("\n").map((line) => line.trim()).sort();
  expect(sorted(stdout)).toEqual(sorted(printed));
});

it("is under 30 lines", () => {
  expect(readFileSync(at("src/main.ts"), "utf8").trimEnd().split("\n").length).toBeLessThan(30);
});
