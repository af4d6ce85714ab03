import { existsSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";

/** A broker that cannot be had on this machine; the message is the reason, in words. Everything else that goes wrong is a failure. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
}

/** Throws where brokers cannot be kept apart from the machine and ended with certainty: that takes `/proc` and `setpriv` of util-linux. */
export function requireLinux(): void {
  if (process.platform !== "linux") throw new Unavailable(`brokers are started on Linux only, and this is ${process.platform}`);
  if (!(process.env["PATH"] ?? "").split(":").some((folder) => existsSync(`${folder}/setpriv`))) throw new Unavailable("the command setpriv (util-linux) is missing");
}

/** The line of a failed command's output that says what is wrong, or what comes nearest to it. One line; of a long one, both ends. */
export function quoted(thrown: unknown, line: RegExp): string {
  const { stdout = "", stderr = "", message = "", killed = false } = thrown as { stdout?: string; stderr?: string; message?: string; killed?: boolean };
  if (killed) return "it took too long";
  const output = stripVTControlCharacters(`${stderr}\n${stdout}`).trim();
  const found = (line.exec(output)?.[0] ?? output.split("\n").at(-1) ?? "").trim();
  const text = found === "" ? message : found;
  return text.length <= 400 ? text : `${text.slice(0, 150)} … ${text.slice(-250)}`;
}
