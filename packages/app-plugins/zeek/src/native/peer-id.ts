import { randomBytes } from "node:crypto";

/** A Broker endpoint's UUID: 32 hexadecimal digits. Compared as text they order as their bytes do. */
export type PeerId = string;

/** Stands for everybody as receiver. */
export const nobody: PeerId = "0".repeat(32);

/**
 * A UUIDv4 that begins with `ff`, so that it is the greater one nearly always and Zeek takes the lead in the handshake, as it does with another Zeek.
 */
export function newPeerId(): PeerId {
  const bytes = randomBytes(16);
  bytes[0] = 0xff;
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString("hex");
}

/** Names the Zeek behind a native peer, see `Link`. */
export function identityOf(peer: PeerId): string {
  return `broker:${peer}`;
}
