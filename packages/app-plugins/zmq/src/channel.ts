import { randomInt } from "node:crypto";

/** Letters of a channel: what an app subscribes to, and the key to it. */
export const channelLength = 32;

/** 150 bits nobody can guess. */
export function newChannel(): string {
  return Array.from({ length: channelLength }, () => String.fromCharCode(0x61 + randomInt(26))).join("");
}
