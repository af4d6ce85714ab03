/** Every code, with what it means. docs/errors.md says what to do about each; a test holds the two together. */
export const errorCodes = {
  CONFIG_INVALID: "the configuration has problems",
  CONFIG_NOT_FOUND: "the configuration file cannot be read",
  OPTIONS_INVALID: "a plugin's options have problems",
  PLUGIN_NOT_INSTALLED: "a configured plugin is not installed",
  PLUGIN_LOAD_FAILED: "a plugin's module failed while loading",
  PLUGIN_WRONG_CONTRACT: "a module is no Threat Bus plugin, or for another contract",
  PLUGIN_DUPLICATE: "two plugins have one name",
  PLUGIN_START_FAILED: "a plugin failed in start",
  PLUGIN_START_TIMEOUT: "a plugin did not start in time",
  PLUGIN_STOP_FAILED: "a plugin failed in stop",
  PLUGIN_STOP_TIMEOUT: "a plugin did not stop in time",
  BACKBONE_MISSING: "a bus needs a backbone",
  BACKBONE_FAILED: "a backbone did not take a message",
  BUS_NOT_RUNNING: "the bus is not running",
  BUS_STOP_INCOMPLETE: "the bus stopped with messages undelivered",
  MESSAGE_REFUSED: "content does not pass its format's check",
  PATTERN_INVALID: "a STIX pattern does not parse",
  SNAPSHOT_FAILED: "an app failed while answering a snapshot",
  PORT_IN_USE: "an address is taken by another program",
  ADDRESS_INVALID: "an address cannot be bound or resolved",
  CONNECTION_FAILED: "a connection could not be made",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** One problem of many: a place and what is wrong there. */
export interface Issue {
  readonly message: string;
  /** Where in the value, e.g. `["plugins", "apps", "zmq", "pub"]`. */
  readonly path?: readonly PropertyKey[];
  readonly hint?: string;
}

/** What is wrong with content that was refused. */
export type RefusalReason =
  | "size" | "utf8" | "json" | "depth" | "keys" | "topic" | "type" | "id" | "time" | "pattern" | "value" | "rule";

export interface ErrorDetails {
  /** The plugin that failed. */
  readonly plugin?: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Of `MESSAGE_REFUSED`: one word to count by. */
  readonly reason?: RefusalReason;
  /** All problems, when there can be several. */
  readonly issues?: readonly Issue[];
}

const brand = Symbol.for("threatbus.error");

/** The one error class. Tell it by {@link isThreatbusError}, never by `instanceof`: two copies of core may be installed. */
export class ThreatbusError extends Error {
  readonly code: ErrorCode;
  readonly plugin?: string;
  readonly hint?: string;
  readonly reason?: RefusalReason;
  readonly issues: readonly Issue[];

  constructor(code: ErrorCode, message: string = errorCodes[code], details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "ThreatbusError";
    this.code = code;
    if (details.plugin !== undefined) this.plugin = details.plugin;
    if (details.hint !== undefined) this.hint = details.hint;
    if (details.reason !== undefined) this.reason = details.reason;
    this.issues = details.issues ?? [];
    Object.defineProperty(this, brand, { value: true });
  }
}

export function isThreatbusError(value: unknown, code?: ErrorCode): value is ThreatbusError {
  return typeof value === "object" && value !== null && brand in value && (code === undefined || (value as { code?: unknown }).code === code);
}

/** The words of anything thrown, without its stack. */
export function reasonOf(thrown: unknown): string {
  // Of a name with several addresses, Node gives the reason of each and no message.
  if (thrown instanceof AggregateError && thrown.message === "" && thrown.errors.length > 0) return thrown.errors.map(reasonOf).join("; ");
  if (thrown instanceof Error) return thrown.message === "" ? thrown.name : thrown.message;
  return typeof thrown === "string" ? thrown : `a ${typeof thrown} was thrown`;
}
