import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";

/** The built command on a configuration file of this content, killed with the test; resolves when apps may join. */
export async function command(config: string): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), "threatbus-reference-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "config.yaml");
  await writeFile(file, config);
  const bin = fileURLToPath(new URL("../../packages/cli/bin/threatbus.js", import.meta.url));
  const child = spawn(process.execPath, [bin, "-c", file], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: process.env["PATH"] } });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (said += text));
  await expect.poll(() => said).toMatch(/is running/);
  return child;
}
