import { contains, parseAddress, parseBlock } from "./address.ts";
import type { Address, Block } from "./address.ts";
import type { Observable } from "./observable.ts";

/** Shortest prefixes that are one network and not a good part of the Internet. */
const shortestPrefix = { 4: 8, 6: 16 } as const;

/** Where every host meets itself or all others: unspecified, loopback, link-local, multicast and broadcast addresses (RFC 6890, RFC 4291). */
const everywhere: readonly Block[] = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "255.255.255.255/32", "::/127", "fe80::/10", "ff00::/8"]
  .map(parseBlock)
  .filter((block) => block !== undefined);

/** Hashes of the empty file. */
const empty: ReadonlySet<string> = new Set([
  "d41d8cd98f00b204e9800998ecf8427e",
  "da39a3ee5e6b4b0d3255bfef95601890afd80709",
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
]);

/** Second levels under which countries register: `co.uk`, `com.au`. */
const registries: ReadonlySet<string> = new Set(["ac", "co", "com", "edu", "gob", "gov", "gv", "mil", "ne", "net", "nom", "or", "org"]);

/** Why a value would match far too much to be meant, as the end of a sentence; undefined if it would not. */
export function breadthOf({ kind, value }: Observable): string | undefined {
  switch (kind) {
    case "ip": {
      const address = parseAddress(value) as Address;
      return everywhere.some((block) => contains(block, address)) ? "is an address that every host has or meets" : undefined;
    }
    case "cidr": {
      const block = parseBlock(value) as Block;
      if (block.prefix < shortestPrefix[block.family]) return `is a block wider than /${shortestPrefix[block.family]}`;
      return everywhere.some((other) => contains(other, block)) ? "is a block that every host has or meets" : undefined;
    }
    case "domain":
      return isRegistry(value) ? "is a domain under which others register theirs" : undefined;
    case "md5": case "sha1": case "sha256": case "sha512":
      if (empty.has(value)) return "is the hash of the empty file";
      return /^(.)\1+$/.test(value) ? "is one digit repeated, no hash of anything" : undefined;
    default:
      return undefined;
  }
}

function isRegistry(name: string): boolean {
  const labels = name.split(".");
  const [second = "", top = ""] = labels;
  if (labels.length === 1 || name.endsWith(".in-addr.arpa") || name.endsWith(".ip6.arpa")) return labels.length === 1;
  return labels.length === 2 && ((top.length === 2 && registries.has(second)) || top === "arpa");
}
