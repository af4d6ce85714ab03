import { isIPv4 } from "node:net";
import { domainToASCII } from "node:url";
import { holdsAllIpv4, maskSubnet, parseAddress, parseSubnet, printAddress, printSubnet } from "../wire/address.ts";
import type { IntelType } from "./intel.ts";

/** UTF-16 units of a value. Zeek holds every one in memory, on every node. */
const maxLength = 4_096;
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const blanks = /\s/;

/** Hexadecimal digits by algorithm. */
const hexLengths: ReadonlyMap<string, number> = new Map([["MD5", 32], ["SHA1", 40], ["SHA256", 64], ["SHA512", 128], ["SHA3256", 64], ["SHA3512", 128]]);
const fuzzyForms: ReadonlyMap<string, RegExp> = new Map([
  ["SSDEEP", /^\d{1,10}:[A-Za-z0-9/+]{0,128}:[A-Za-z0-9/+]{0,128}$/],
  ["TLSH", /^(?:T1)?[0-9A-Fa-f]{70}$/],
]);

export interface CheckedValue {
  readonly type: IntelType;
  readonly value: string;
}

/**
 * An observable value as Zeek's Intel framework compares it, or undefined if it is none of its type. What is malformed must not get there: Zeek reads a
 * bad subnet as `::/0`, which matches every address.
 */
export function checkValue(type: IntelType, given: string, algorithm?: string): CheckedValue | undefined {
  // As most values come: nothing to correct.
  if (type === "DOMAIN" ? isPlainName(given) : type === "ADDR" && isIPv4(given)) return { type, value: given };
  const text = given.trim();
  if (text === "" || text.length > maxLength || controls.test(text)) return undefined;
  const value = checkers[type](text, algorithm);
  return typeof value === "string" ? { type, value } : value;
}

const checkers: Record<IntelType, (text: string, algorithm?: string) => string | CheckedValue | undefined> = {
  ADDR: network,
  SUBNET: network,
  DOMAIN: domain,
  URL: url,
  EMAIL: email,
  FILE_HASH: hash,
  CERT_HASH: (text) => hash(text.replaceAll(":", ""), "SHA1"),
  FILE_NAME: (text) => text,
  SOFTWARE: (text) => text,
  USER_NAME: (text) => text,
};

/** An address, or a block of them. A block of one is that address; one of all IPv4 addresses, `::/64` as well, is too much to be meant. */
function network(text: string): CheckedValue | undefined {
  const address = parseAddress(text);
  if (address !== undefined) return { type: "ADDR", value: printAddress(address) };
  const subnet = parseSubnet(text);
  if (subnet === undefined) return undefined;
  if (subnet.length === 128) return { type: "ADDR", value: printAddress(subnet.bytes) };
  return holdsAllIpv4(subnet) ? undefined : { type: "SUBNET", value: printSubnet(maskSubnet(subnet)) };
}

/** Labels of 63 characters at most, no dash at their ends. */
const nameForm = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/;

function isPlainName(text: string): boolean {
  return text.length <= 253 && nameForm.test(text) && !/^[0-9.]+$/.test(text);
}

/** Lower case, punycode, no dot at the end: as DNS, HTTP and TLS carry it. */
function domain(text: string): string | undefined {
  const name = text.replace(/\.$/, "").toLowerCase();
  const ascii = /^[\x21-\x7e]+$/.test(name) ? name : domainToASCII(name);
  return isPlainName(ascii) ? ascii : undefined;
}

/** Without its scheme and fragment: Zeek's logs have neither. */
function url(text: string): string | undefined {
  const rest = text.replace(/^[A-Za-z][A-Za-z0-9+.-]*:\/\//, "").replace(/#.*$/s, "");
  return rest === "" || blanks.test(rest) || /^[/?:@]/.test(rest) ? undefined : rest;
}

function email(text: string): string | undefined {
  return text.length <= 320 && /^[^\s@<>"(),;]+@[^\s@<>"(),;]+$/.test(text) ? text.toLowerCase() : undefined;
}

function hash(text: string, algorithm = ""): string | undefined {
  const length = hexLengths.get(algorithm);
  if (length !== undefined) return text.length === length && /^[0-9A-Fa-f]+$/.test(text) ? text.toLowerCase() : undefined;
  return fuzzyForms.get(algorithm)?.test(text) === true ? text : undefined;
}
