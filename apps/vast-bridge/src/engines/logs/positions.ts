import { createHash } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FileHandle } from "node:fs/promises";
import { z } from "zod";

const position = z.object({
  path: z.string(),
  /** Device and inode: a file is the same under another name. */
  id: z.string(),
  /** Bytes that are done with. */
  offset: z.int().min(0),
  /** Hash of the first bytes: inodes are used again, files are cut and filled anew. */
  head: z.object({ length: z.int().min(0), hash: z.string() }),
});
const contents = z.object({ version: z.literal(1), files: z.array(position) });

export type Position = z.output<typeof position>;
export type Head = Position["head"];

/** Bytes of a file by which it is known again. */
const headLength = 256;

/** How far files have been watched, kept in the state directory: in one piece, whenever the process ends. */
export class Positions {
  readonly #file: string;

  constructor(stateDir: string) {
    this.#file = join(stateDir, "positions.json");
  }

  /** Undefined before the first start. Throws if the file is there and cannot be used. */
  async load(): Promise<Position[] | undefined> {
    let text: string;
    try {
      text = await readFile(this.#file, "utf8");
    } catch (thrown) {
      if ((thrown as { code?: unknown }).code === "ENOENT") return undefined;
      throw thrown;
    }
    return contents.parse(JSON.parse(text)).files;
  }

  async save(files: readonly Position[]): Promise<void> {
    await writeFile(`${this.#file}.new`, JSON.stringify({ version: 1, files }), { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }
}

/** Of the first bytes of a file, up to `length`. */
export async function headOf(file: FileHandle, length: number = headLength): Promise<Head> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, 0);
  return { length: bytesRead, hash: createHash("sha256").update(bytes.subarray(0, bytesRead)).digest("base64") };
}

/** Whether the file still begins like that. A head without bytes says nothing. */
export async function beginsLike(file: FileHandle, head: Head): Promise<boolean> {
  return head.length === 0 || (await headOf(file, head.length)).hash === head.hash;
}

/** Whether a head is long enough to tell files apart. */
export function isTelling(head: Head): boolean {
  return head.length >= 64;
}

export { headLength };
