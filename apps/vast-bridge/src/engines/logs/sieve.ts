import type { Buffer } from "node:buffer";
import { parseAddress, parseBlock } from "../../address.ts";
import type { Address } from "../../address.ts";
import { fieldContents } from "../../fields.ts";
import type { Observable } from "../../observable.ts";
import { readDomain, urlParts } from "../../observable.ts";
import type { Watchlist } from "../../watchlist.ts";
import { isMapped, readAddress4, readAddress6 } from "./address-bytes.ts";
import { hashBlock4, hashBlock6, hashText } from "./hash.ts";
import { HashTable } from "./hash-table.ts";
import { Scratch } from "./scratch.ts";

/** A value that may be an observable. */
export const direct = 1;
/** Values that together may be a URL: what host it is on, what is asked for there. */
export const urlHost = 2, urlTarget = 4;

const dot = 0x2e, colon = 0x3a, slash = 0x2f, question = 0x3f, sharp = 0x23, at = 0x40, openBracket = 0x5b;
const byteClass: Uint8Array = new Uint8Array(256);
/** Of names, with letters (or what is none to a number); of local parts of e-mail addresses. */
const inName = 1, notDigit = 2, inMailbox = 4;
for (let byte = 0; byte < 128; byte++) {
  const character = String.fromCharCode(byte);
  byteClass[byte] = (/[\w.-]/.test(character) ? inName : 0) | (/[\d.]/.test(character) ? 0 : notDigit) | (/[^\s@<>"(),:;\\[\]]/.test(character) ? inMailbox : 0);
}

/** Tells from the bytes of a string whether it may be, or hold, something that is watched for. Never wrong when it says no. */
export class Sieve {
  readonly #watchlist: Watchlist;
  readonly #subdomains: boolean;
  readonly #scratch: Scratch = new Scratch();
  readonly #address: Int32Array = new Int32Array(4);
  #table: HashTable = new HashTable();
  /** Lengths of prefixes in the table. IPv4 addresses are in it as text: it is the only one they have. */
  #prefixes4: number[] = [];
  #prefixes6: number[] = [];
  /** Values removed from the watchlist that the table still has. */
  #stale = 0;
  #addresses = false;
  #domains = false;
  #urls = false;
  #mailboxes = false;

  constructor(watchlist: Watchlist, subdomains: boolean) {
    this.#watchlist = watchlist;
    this.#subdomains = subdomains;
  }

  /** After it was added to the watchlist. */
  add({ kind, value }: Observable): void {
    switch (kind) {
      case "ip": {
        const address = parseAddress(value);
        if (address !== undefined) this.#putAddress(address, value, direct);
        break;
      }
      case "cidr": {
        const block = parseBlock(value);
        if (block !== undefined) this.#putBlock(block, block.prefix, direct);
        break;
      }
      case "url": {
        const parts = urlParts(value);
        if (parts === undefined) return;
        const address = parseAddress(parts.host);
        if (address === undefined) this.#put(parts.host, urlHost);
        else this.#putAddress(address, parts.host, urlHost);
        this.#put(parts.target, urlTarget);
        this.#urls = true;
        break;
      }
      case "certificate":
        this.#put(value, direct);
        this.#put(value.replace(/..(?!$)/g, "$&:"), direct);
        break;
      default:
        this.#domains ||= kind === "domain";
        this.#mailboxes ||= kind === "email";
        this.#put(value, direct);
    }
  }

  /** After it was removed from the watchlist. */
  removed(): void {
    if (++this.#stale <= this.#watchlist.size + 1_000) return;
    this.#stale = 0;
    this.#table = new HashTable();
    this.#prefixes4 = [];
    this.#prefixes6 = [];
    this.#addresses = this.#domains = this.#urls = this.#mailboxes = false;
    for (const observable of this.#watchlist) this.add(observable);
  }

  /** Of ASCII text without escapes. `special`: it may hold `/` or `@`. */
  plain(bytes: Uint8Array, view: DataView, from: number, to: number, special: boolean): number {
    if (to === from) return 0;
    const table = this.#table;
    let flags = table.get(hashText(bytes, view, from, to));
    if (this.#addresses) flags |= this.#addressFlags(bytes, from, to);
    if ((this.#domains || this.#urls) && (this.#subdomains || bytes[to - 1] === dot)) flags |= this.#nameFlags(bytes, view, from, to);
    if (special) {
      if (this.#urls) flags |= this.#urlFlags(bytes, view, from, to);
      if (this.#mailboxes) flags |= this.#mailboxFlags(bytes, view, from, to);
    }
    return flags;
  }

  /** Of text with escapes or other than ASCII: what stands between the quotes. */
  strange(text: Buffer): number {
    const { bytes, view } = this.#scratch;
    const length = this.#scratch.unescape(text);
    if (length >= 0) return this.plain(bytes, view, 0, length, true);
    let value: string;
    try {
      value = JSON.parse(`"${text.toString()}"`) as string;
    } catch {
      return 0;
    }
    if (fieldContents.some((content) => this.#watchlist.find(content, value).length > 0)) return direct;
    const name = readDomain(value) ?? "";
    return (this.#flagsOf(value) | this.#flagsOf(name)) & (urlHost | urlTarget);
  }

  #put(text: string, flags: number): void {
    const { bytes, view } = this.#scratch;
    const length = this.#scratch.write(text);
    if (length > 0) this.#table.set(hashText(bytes, view, 0, length), flags);
  }

  #flagsOf(text: string): number {
    const length = this.#scratch.write(text);
    return length > 0 ? this.#table.get(hashText(this.#scratch.bytes, this.#scratch.view, 0, length)) : 0;
  }

  #putAddress(address: Address, text: string, flags: number): void {
    this.#addresses = true;
    if (address.family === 4) this.#put(text, flags);
    else this.#putBlock(address, 128, flags);
  }

  #putBlock({ family, bits }: Address, prefix: number, flags: number): void {
    this.#addresses = true;
    const prefixes = family === 4 ? this.#prefixes4 : this.#prefixes6;
    if (!prefixes.includes(prefix)) prefixes.push(prefix);
    for (let word = 0; word < 4; word++) this.#address[word] = Number((bits >> BigInt(96 - 32 * word)) & 0xffff_ffffn);
    this.#table.set(family === 4 ? hashBlock4(Number(bits), prefix) : hashBlock6(this.#address, prefix), flags);
  }

  #addressFlags(bytes: Uint8Array, from: number, to: number): number {
    const table = this.#table;
    let flags = 0;
    switch (addressForm(bytes, from, to)) {
      case 4: {
        const prefixes = this.#prefixes4;
        if (prefixes.length === 0 || !readAddress4(bytes, from, to, this.#address)) return 0;
        const address = this.#address[0] as number;
        for (let at = 0; at < prefixes.length; at++) flags |= table.get(hashBlock4(address, prefixes[at] as number));
        return flags;
      }
      case 6: {
        const inner = bytes[from] === openBracket ? 1 : 0;
        if (!readAddress6(bytes, from + inner, to - inner, this.#address)) return 0;
        // An IPv4 address in other words, of a URL too.
        if (isMapped(this.#address)) return direct | urlHost;
        for (const prefix of this.#prefixes6) flags |= table.get(hashBlock6(this.#address, prefix));
        return flags;
      }
      default:
        return 0;
    }
  }

  /** A dot at the end is none of the name; names above it count with `subdomains`. */
  #nameFlags(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let flags = 0;
    let end = to;
    if (bytes[to - 1] === dot) {
      if (--end === from) return 0;
      flags = this.#table.get(hashText(bytes, view, from, end));
    }
    if (!this.#subdomains || !this.#domains || end - from > 253) return flags;
    let seen = 0;
    for (let here = from; here < end; here++) {
      const kind = byteClass[bytes[here] as number] as number;
      if ((kind & inName) === 0) return flags;
      seen |= kind;
    }
    if ((seen & notDigit) === 0) return flags;
    for (let here = from + 1; here < end - 1; here++) {
      if (bytes[here] === dot) flags |= this.#table.get(hashText(bytes, view, here + 1, end)) & direct;
    }
    return flags;
  }

  /** By its host alone. */
  #urlFlags(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let start = from;
    while (start < to && bytes[start] !== slash) start++;
    start = bytes[start - 1] === colon && bytes[start + 1] === slash ? start + 2 : from;
    let end = start, user = start;
    for (; end < to; end++) {
      const byte = bytes[end];
      if (byte === slash || byte === question || byte === sharp) break;
      if (byte === at) user = end + 1;
    }
    let host = end;
    for (let here = end - 1; here >= user; here--) {
      const byte = bytes[here] as number;
      if (byte === colon) host = here;
      if (byte < 0x30 || byte > 0x39) break;
    }
    if (host === end || host === user) host = end;
    const inner = bytes[user] === openBracket ? 1 : 0;
    if (host - user <= 2 * inner) return 0;
    const flags = this.#table.get(hashText(bytes, view, user + inner, host - inner)) | this.#addressFlags(bytes, user, host) | this.#nameFlags(bytes, view, user, host);
    return (flags & urlHost) !== 0 ? direct : 0;
  }

  #mailboxFlags(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let flags = 0;
    for (let here = from + 1; here < to - 1; here++) {
      if (bytes[here] !== at) continue;
      let start = here, end = here + 1;
      while (start > from && here - start < 64 && (byteClass[bytes[start - 1] as number] as number) & inMailbox) start--;
      while (end < to && end - here <= 254 && (byteClass[bytes[end] as number] as number) & inMailbox) end++;
      if (bytes[end - 1] === dot) end--;
      flags |= this.#table.get(hashText(bytes, view, start, end)) & direct;
    }
    return flags;
  }
}

/** By its length and its first group: up to four digits with a dot or a colon behind them. */
function addressForm(bytes: Uint8Array, from: number, to: number): 0 | 4 | 6 {
  const length = to - from;
  if (length < 2 || length > 47) return 0;
  const start = bytes[from] === openBracket ? from + 1 : from;
  for (let here = start; here < start + 5; here++) {
    const byte = bytes[here] as number;
    if (byte === colon) return 6;
    if (byte === dot) return 4;
    if ((byte < 0x30 || byte > 0x39) && ((byte | 0x20) < 0x61 || (byte | 0x20) > 0x66)) return 0;
  }
  return 0;
}
