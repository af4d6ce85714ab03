import { readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { exitCodes, UserError } from "@threatbus/program";

/**
 * Keeps a folder to one process: two that write one file would spoil it. What a killed process left is seen through. Returns what gives it free.
 * @throws UserError
 */
export function lock(path: string): () => void {
  const own = JSON.stringify({ pid: process.pid, began: beginOf(process.pid) });
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      writeFileSync(path, own, { flag: "wx", mode: 0o600 });
      return () => {
        if (contentOf(path) === own) unlinkSync(path);
      };
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "EEXIST") throw thrown;
    }
    const holder = holderOf(contentOf(path));
    if (holder !== undefined) {
      throw new UserError(exitCodes.unavailable, `${path} is held by process ${holder}`, "end that bridge, or give this one another state_dir");
    }
    try {
      unlinkSync(path);
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
  }
  throw new UserError(exitCodes.unavailable, `${path} cannot be had: others take it again and again`);
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The process that holds it, if it is alive and no other that got its number since. */
function holderOf(content: string): number | undefined {
  try {
    const { pid, began } = JSON.parse(content) as { pid: number; began?: string };
    if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid || beginOf(pid) !== began) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === "EPERM" ? (JSON.parse(content) as { pid: number }).pid : undefined;
  }
}

/** When a process began, in the system's own terms, where it tells (Linux: proc(5), field 22 of `stat`). */
function beginOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
