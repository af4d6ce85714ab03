import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Tells the tables of this bridge from those of others that use the same node. Made once, and kept in the state directory. */
export async function identityIn(stateDir: string): Promise<string> {
  const file = join(stateDir, "identity");
  const found = await readFile(file, "utf8").catch(() => "");
  if (/^[0-9a-f]{12}$/.test(found)) return found;
  const made = randomBytes(6).toString("hex");
  await writeFile(file, made, { mode: 0o600 });
  return made;
}
