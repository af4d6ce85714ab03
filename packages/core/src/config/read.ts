import { open } from "node:fs/promises";
import { join, resolve } from "node:path";
import { reasonOf, ThreatbusError } from "../errors.ts";
import { configError, configIssue } from "./problems.ts";

const maxFileBytes = 1_048_576;
/** Looked for in the working directory, in this order. */
export const configFileNames: readonly string[] = ["config.yaml", "config.yml"];

export interface TextFile {
  /** Absolute. */
  readonly path: string;
  /** As the user knows it. */
  readonly name: string;
  readonly text: string;
}

/**
 * Reads the configuration file: `file` if given, else the first of {@link configFileNames} in `cwd`, else nothing.
 * @throws ThreatbusError `CONFIG_NOT_FOUND` if it cannot be read, `CONFIG_INVALID` if it is no text or above 1 MiB
 */
export async function readConfigFile(file: string | undefined, cwd: string): Promise<TextFile | undefined> {
  if (file !== undefined) {
    const found = await readTextFile(resolve(cwd, file), file);
    if (found === undefined)
      throw new ThreatbusError("CONFIG_NOT_FOUND", `${file}: there is no such file`, { hint: "threatbus init writes one" });
    return found;
  }
  for (const name of configFileNames) {
    const found = await readTextFile(join(cwd, name), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** As {@link readConfigFile} for one file; nothing if it does not exist. */
export async function readTextFile(path: string, name: string): Promise<TextFile | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readBounded(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw new ThreatbusError("CONFIG_NOT_FOUND", `${name} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  if (bytes.length > maxFileBytes) throw configError(name, [configIssue(name, [], `is larger than ${maxFileBytes} bytes`)]);
  try {
    return { path, name, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    throw configError(name, [configIssue(name, [], "is not UTF-8 text")]);
  }
}

/** Stops one byte above the limit, so that a device or a pipe cannot fill the memory. */
async function readBounded(path: string): Promise<Uint8Array> {
  const handle = await open(path, "r");
  try {
    const bytes = new Uint8Array(maxFileBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, null);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) return bytes.subarray(0, length);
    }
  } finally {
    await handle.close();
  }
}
