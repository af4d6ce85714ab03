/** Processes of this machine, as `/proc` shows them. */
import { readFileSync, readdirSync } from "node:fs";

/** Names a broker's folder in the environment of every process that belongs to it. */
export const marker = "THREATBUS_SERVICE_FOLDER";

/** Processes that carry the folder in their environment. Only those of this user can be read, root reads all. */
export function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => readOf(pid, "environ").includes(`${marker}=${folder}\0`));
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

export function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // Gone by itself.
  }
}

/** SIGSTOP reaches a process's threads one by one; returns when none runs any more, which takes milliseconds and 5 s at the most. */
export function freeze(pid: number): void {
  process.kill(pid, "SIGSTOP");
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let round = 0; round < 5_000 && !isFrozen(pid); round++) Atomics.wait(clock, 0, 0, 1);
}

/** Of a process that is gone, nothing runs either. */
export function isFrozen(pid: number): boolean {
  return threadsOf(pid).every((thread) => ["T", "Z", undefined].includes(/\) (\S)/.exec(readOf(pid, `task/${thread}/stat`))?.[1]));
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty for a process that is gone or another user's. */
function readOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}
