import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";

/** `release` gives it free, twice is harmless; `holder` is the number of the process that has it. */
export type FileLock = { readonly release: () => void } | { readonly holder: number };

/**
 * Keeps what a file stands for to one holder: who takes the lock makes the file, and writes into it who it is. What a killed process left is seen through, also
 * when another process has its number by then. Holders must see each other: containers that share only a folder are not kept apart. Throws what
 * the system throws.
 */
export function lockFile(path: string): FileLock {
  for (let attempt = 0; attempt < 3; attempt++) {
    if (made(path)) return { release: releaseOf(path) };
    const found = contentOf(path);
    const holder = holderOf(found);
    if (holder !== undefined) return { holder };
    takeAway(path, found);
  }
  throw new Error(`${path} cannot be had: others take it again and again`);
}

/** This process, as no other was or will be. */
function self(): string {
  return JSON.stringify({ pid: process.pid, began: beginOf(process.pid) ?? String(performance.timeOrigin) });
}

/** There at once with all that is in it: nobody must take a file that is half made for one that was left. */
function made(path: string): boolean {
  const beside = besideOf(path);
  writeFileSync(beside, self(), { mode: 0o600 });
  try {
    linkSync(beside, path);
    return true;
  } catch (thrown) {
    if (codeOf(thrown) !== "EEXIST") throw thrown;
    return false;
  } finally {
    unlinkSync(beside);
  }
}

function releaseOf(path: string): () => void {
  let held = true;
  return () => {
    if (held && contentOf(path) === self()) unlinkSync(path);
    held = false;
  };
}

/** Removes what was left, unless it is another's since it was looked at. */
function takeAway(path: string, left: string): void {
  const beside = besideOf(path);
  try {
    renameSync(path, beside);
    if (contentOf(beside) !== left) linkSync(beside, path);
  } catch (thrown) {
    if (!["ENOENT", "EEXIST"].includes(codeOf(thrown))) throw thrown;
    if (codeOf(thrown) === "ENOENT") return;
  }
  unlinkSync(beside);
}

/** The process that holds it, if it is alive and no other that got its number since. */
function holderOf(content: string): number | undefined {
  let pid: number, began: string | undefined;
  try {
    ({ pid, began } = JSON.parse(content) as { pid: number; began?: string });
  } catch {
    return undefined;
  }
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (pid === process.pid) return content === self() ? pid : undefined;
  const begin = beginOf(pid);
  if (begin !== undefined && begin !== began) return undefined;
  try {
    process.kill(pid, 0);
    return pid;
  } catch (thrown) {
    return codeOf(thrown) === "EPERM" ? pid : undefined;
  }
}

/** When a process began, in the system's own terms, where it tells (Linux: proc(5), fields 22 and 3 of `stat`); what has ended and waits for its parent never did. */
function beginOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? "" : fields[19];
  } catch {
    return undefined;
  }
}

function besideOf(path: string): string {
  return `${path}.${process.pid}`;
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function codeOf(thrown: unknown): string {
  return String((Object(thrown) as { code?: unknown }).code);
}
