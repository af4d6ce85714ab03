/**
 * A folder per broker below the system's folder for temporary files, named after the process that owns it. Every process of a broker carries
 * the folder in its environment: that is how what a killed test run left behind is told from everything else, and ended.
 */
import { readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kill, lives, processesOf } from "./processes.ts";

const prefix = "threatbus-service-";

const owned = new Set<string>();
let watching = false;

/** Makes a folder that is gone at the latest when this process has ended in order. What earlier owners left is removed first. */
export async function privateFolder(kind: string): Promise<string> {
  removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${process.pid}-${kind}-`));
  owned.add(folder);
  if (!watching) {
    process.on("exit", () => owned.forEach(removeFolder));
    watching = true;
  }
  return folder;
}

/** Kills what still runs from the folder and removes it. Twice is harmless. */
export function removeFolder(folder: string): void {
  owned.delete(folder);
  for (let round = 0; round < 3; round++) {
    for (const pid of processesOf(folder)) kill(pid);
    try {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      return;
    } catch {
      // A process on its way out wrote a last file; or the folder is another user's.
    }
  }
}

function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(prefix))) {
    const owner = Number(name.slice(prefix.length).split("-")[0]);
    if (!lives(owner)) removeFolder(join(tmpdir(), name));
  }
}
