import { isThreatbusError, type ErrorCode } from "@threatbus/core";

/** What the exit code of every command means: those of sysexits.h, where it has one. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 64,
  noInput: 66,
  unavailable: 69,
  crashed: 70,
  cannotCreate: 73,
  config: 78,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const codesOfErrors: Readonly<Partial<Record<ErrorCode, ExitCode>>> = {
  CONFIG_INVALID: exitCodes.config,
  CONFIG_NOT_FOUND: exitCodes.config,
  OPTIONS_INVALID: exitCodes.config,
  PLUGIN_NOT_INSTALLED: exitCodes.config,
  PLUGIN_LOAD_FAILED: exitCodes.config,
  PLUGIN_WRONG_CONTRACT: exitCodes.config,
  PLUGIN_DUPLICATE: exitCodes.config,
  BACKBONE_MISSING: exitCodes.config,
  ADDRESS_INVALID: exitCodes.config,
  PLUGIN_START_FAILED: exitCodes.unavailable,
  PLUGIN_START_TIMEOUT: exitCodes.unavailable,
  PORT_IN_USE: exitCodes.unavailable,
  CONNECTION_FAILED: exitCodes.unavailable,
};

/** For anything thrown: a fault of the program unless it is a known error. */
export function exitCodeOf(thrown: unknown): ExitCode {
  if (thrown instanceof UserError) return thrown.exitCode;
  if (isClientError(thrown)) return exitCodes.unavailable;
  return isThreatbusError(thrown) ? (codesOfErrors[thrown.code] ?? exitCodes.failed) : exitCodes.crashed;
}

/** Something the person at the keyboard can put right. */
export class UserError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string) {
    super(message);
    this.name = "UserError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** What the client for joining a bus throws, told by its name so that it need not be loaded. */
export function isClientError(thrown: unknown): thrown is Error & { readonly code: string; readonly hint?: string; readonly reason?: string } {
  return thrown instanceof Error && thrown.name === "ZmqClientError" && "code" in thrown;
}
