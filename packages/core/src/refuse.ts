import { ThreatbusError } from "./errors.ts";
import type { RefusalReason } from "./errors.ts";

/** Ends a check. `text` is our own words: what was refused is never repeated. */
export function refuse(reason: RefusalReason, text: string): never {
  throw new ThreatbusError("MESSAGE_REFUSED", text, { reason });
}
