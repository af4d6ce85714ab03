export { createProgram } from "./program.ts";
export { exitCodes, UserError } from "@threatbus/program";
export type { ExitCode } from "@threatbus/program";
