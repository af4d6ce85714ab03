import { CommanderError } from "commander";
import { exitCodes, fail } from "@threatbus/program";
import { createProgram } from "./program.ts";
import { programName } from "./version.ts";

// Whoever read our output may go away: that ends no bridge.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  // commander has told it.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else fail(error, programName);
}
