/** Every code, with what it means. */
export const clientErrorCodes = {
  CONNECTION_FAILED: "no connection to the bus",
  REQUEST_TIMEOUT: "the bus did not answer in time",
  REQUEST_REFUSED: "the bus refused a request",
  REPLY_INVALID: "what answered does not speak the protocol of a bus",
  CLOSED: "the client is closed",
} as const;

export type ClientErrorCode = keyof typeof clientErrorCodes;

export interface ClientErrorDetails {
  /** What to do about it. */
  readonly hint?: string;
  /** The bus's own words, at most 200 printable characters. Not part of `message`: they come from outside. */
  readonly reason?: string;
  readonly cause?: unknown;
}

/** What everything in this package rejects with, wrong arguments (`TypeError`, `RangeError`) excepted. */
export class ZmqClientError extends Error {
  readonly code: ClientErrorCode;
  readonly hint?: string;
  readonly reason?: string;

  constructor(code: ClientErrorCode, message: string = clientErrorCodes[code], details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ZmqClientError";
    this.code = code;
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.reason !== undefined) this.reason = details.reason;
  }
}

/** Whether a failed ZeroMQ call only means "not now". */
export function isAgain(thrown: unknown): boolean {
  return thrown instanceof Error && "code" in thrown && thrown.code === "EAGAIN";
}
