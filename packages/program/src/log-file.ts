import { open, type FileHandle } from "node:fs/promises";
import { exitCodes, UserError } from "./exit-codes.ts";

/** Characters that may wait for the disk. */
const maxWaiting = 4 * 1024 * 1024;

/** Appends lines without ever holding up the writer: what the disk does not take is dropped and counted. */
export class LogFile {
  readonly #handle: FileHandle;
  readonly #onTrouble: (reason: unknown) => void;
  #waiting: string[] = [];
  #size = 0;
  #dropped = 0;
  #troubled = false;
  #writing: Promise<void> | undefined;

  private constructor(handle: FileHandle, onTrouble: (reason: unknown) => void) {
    this.#handle = handle;
    this.#onTrouble = onTrouble;
  }

  /** `onTrouble` is told when the disk begins to refuse. @throws UserError if the file cannot be opened */
  static async open(path: string, onTrouble: (reason: unknown) => void): Promise<LogFile> {
    try {
      return new LogFile(await open(path, "a", 0o640), onTrouble);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      throw new UserError(exitCodes.config, `the log file ${path} cannot be written (${code})`, "set logging.filename, or logging.file to false");
    }
  }

  get dropped(): number {
    return this.#dropped;
  }

  append(line: string): void {
    if (this.#size + line.length > maxWaiting) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#size += line.length;
    this.#writing ??= this.#write();
  }

  /** Writes what waits and closes. Never rejects. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close().catch(() => undefined);
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      this.#waiting = [];
      this.#size = 0;
      try {
        await this.#handle.appendFile(lines.join(""));
        this.#troubled = false;
      } catch (error) {
        this.#dropped += lines.length;
        if (!this.#troubled) this.#onTrouble(error);
        this.#troubled = true;
      }
    }
    this.#writing = undefined;
  }
}
