/**
 * A folder per broker below the system's folder for temporary files, named after the process that owns it. Every process of a broker carries
 * the folder in its environment: that is how what a killed test run left behind is told from everything else, and ended.
 */
import { readFileSync, readdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const prefix = "threatbus-service-";

/** Names the folder in the environment of every process that belongs to it. */
export const marker = "THREATBUS_SERVICE_FOLDER";

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

/** Processes that carry the folder in their environment. Only those of this user can be read, root reads all. */
export function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => environmentOf(pid).includes(`${marker}=${folder}\0`));
}

function removeLeftovers(): void {
  for (const name of readdirSync(tmpdir()).filter((each) => each.startsWith(prefix))) {
    const owner = Number(name.slice(prefix.length).split("-")[0]);
    if (!lives(owner)) removeFolder(join(tmpdir(), name));
  }
}

export function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // Not permitted: it lives and is another user's.
    return (thrown as NodeJS.ErrnoException).code === "EPERM";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone by itself.
  }
}

function environmentOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8");
  } catch {
    return "";
  }
}
