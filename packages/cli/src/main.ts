import { CommanderError } from "commander";
import { exitCodes } from "@threatbus/program";
import { fail } from "./failure.ts";
import { createProgram } from "./program.ts";

/** Runs a command line. The exit code is set; the process ends when nothing is left to do. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever read our output may go away, as `| head` does: that ends no bus.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  try {
    await createProgram().parseAsync(argv);
  } catch (error) {
    // commander has told it.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    else fail(error);
  }
}
