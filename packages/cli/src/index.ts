export { createProgram } from "./program.ts";
export { exitCodes, UserError } from "./exit-codes.ts";
export type { ExitCode } from "./exit-codes.ts";
