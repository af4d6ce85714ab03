import { dropCodes } from "./handshake-message.ts";
import type { Drop } from "./handshake.ts";

/** What to do about the other side's refusal, for the log. */
export function adviceFor(dropped: Drop | undefined): { readonly code?: number; readonly advice?: string } {
  if (dropped === undefined) return {};
  const advice = advices.get(dropped.code);
  return { code: dropped.code, ...(advice !== undefined && { advice }) };
}

const advices: ReadonlyMap<number, string> = new Map([
  [dropCodes.incompatible, "the versions of Broker do not go together: this side speaks that of Zeek 5.0 to 9.0"],
  [dropCodes.badMagic, "the other side takes this one for something else than Broker: check host and port"],
  [dropCodes.badTag, "the two handshakes do not fit: check the version of Zeek, 5.0 to 9.0 work"],
  [dropCodes.badMessage, "the two handshakes do not fit: check the version of Zeek, 5.0 to 9.0 work"],
  [dropCodes.redundant, "the other side holds an earlier connection to be alive; it goes when that is closed"],
  [dropCodes.shuttingDown, "Zeek's Broker is going down or has failed: if it stays so, restart Zeek"],
]);
