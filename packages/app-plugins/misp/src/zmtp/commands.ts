/** What is said in a handshake and between messages (ZMTP 3.1, ZeroMQ RFC 37; PLAIN: RFC 24). */
import { Buffer } from "node:buffer";
import { ZmtpFault, ZmtpRefusal } from "./fault.ts";

/** Bytes of a greeting up to its major version. */
export const upToVersion = 11;

/** Signature, version, mechanism, and that this side is no server. */
export function greetingOf(mechanism: string): Buffer {
  const bytes = Buffer.alloc(64);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes[11] = 1;
  bytes.write(mechanism, 12, "latin1");
  return bytes;
}

export function checkVersion(bytes: Buffer): void {
  if (bytes[0] !== 0xff || bytes[9] !== 0x7f) throw new ZmtpFault("what answers does not speak ZeroMQ");
  if ((bytes[10] as number) < 3) throw new ZmtpFault("it speaks a ZeroMQ before 4.0");
}

export function checkMechanism(bytes: Buffer, mechanism: string): void {
  const theirs = bytes.toString("latin1", 1, 21).replace(/\0+$/, "");
  if (theirs === mechanism) return;
  throw new ZmtpRefusal(mechanism === "NULL" && theirs === "PLAIN" ? "it wants a username and a password" : theirs === "NULL" ? "it wants no username and no password" : `it asks for ${readable(theirs)}`);
}

export function commandOf(name: string, ...data: readonly Buffer[]): Buffer {
  return Buffer.concat([short(name), ...data]);
}

/** Of a command with this name. */
export function dataOf(body: Buffer, name: string): Buffer | undefined {
  return body[0] === name.length && body.toString("latin1", 1, 1 + name.length) === name ? body.subarray(1 + name.length) : undefined;
}

/** How libzmq 4.3 begins an error: the "\x05E" of its C string "\x05ERROR" is one character. */
const misspelt = "^RROR";

/** The reason, if it is an error. */
export function errorOf(body: Buffer): string | undefined {
  const data = dataOf(body, "ERROR") ?? (body.toString("latin1", 0, misspelt.length) === misspelt ? body.subarray(misspelt.length) : undefined);
  return data?.toString("latin1", 1);
}

/** At most 255 bytes behind their number. */
export function short(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

export function property(name: string, value: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(value));
  return Buffer.concat([short(name), length, Buffer.from(value)]);
}

/** Their names' case means nothing. */
export function propertyOf(metadata: Buffer, name: string): string | undefined {
  for (let at = 0; at < metadata.length; ) {
    const value = at + 1 + (metadata[at] as number) + 4;
    if (value > metadata.length) return undefined;
    const end = value + metadata.readUInt32BE(value - 4);
    if (end > metadata.length) return undefined;
    if (metadata.toString("latin1", at + 1, value - 4).toLowerCase() === name) return metadata.toString("latin1", value, end);
    at = end;
  }
  return undefined;
}

/** What a peer calls something, fit for a line of log. */
export function readable(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
