import type { Fields } from "@threatbus/core";
import { dropCodes } from "./handshake-message.ts";
import type { Drop } from "./handshake.ts";

/** What to do about the other side's refusal, for the log. */
export function adviceFor({ code }: Drop): Fields {
  const advice = advices.get(code);
  return { code, ...(advice !== undefined && { advice }) };
}

const advices: ReadonlyMap<number, string> = new Map([
  [dropCodes.incompatible, "the versions of Broker do not go together: this side speaks that of Zeek 5.0 to 9.0"],
  [dropCodes.badMagic, "the other side takes this one for something else than Broker: check host and port"],
  [dropCodes.badTag, "the two handshakes do not fit: check the version of Zeek, 5.0 to 9.0 work"],
  [dropCodes.badMessage, "the two handshakes do not fit: check the version of Zeek, 5.0 to 9.0 work"],
  [dropCodes.redundant, "the other side holds an earlier connection to be alive; it goes when that is closed"],
  [dropCodes.logic, "the other side holds an earlier connection to be alive, or another Threat Bus has no room: see its log"],
  [dropCodes.shuttingDown, "Zeek's Broker is going down or has failed: if it stays so, restart Zeek"],
]);
