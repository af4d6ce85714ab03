import type { Buffer } from "node:buffer";
import { parseBlock } from "../../address.ts";
import { fieldContents } from "../../fields.ts";
import type { Observable } from "../../observable.ts";
import { readDomain } from "../../observable.ts";
import { maxText } from "../../watchlist.ts";
import type { Watchlist } from "../../watchlist.ts";
import { Addresses } from "./addresses.ts";
import { asAddress, asMailbox, asName, asText, asUrl } from "./contents.ts";
import { hashText } from "./hash.ts";
import { HashTable } from "./hash-table.ts";
import { Scratch } from "./scratch.ts";
import { UrlHost } from "./url-bytes.ts";

/** A value that may be an observable. */
export const direct = 1;
/** Values that together may be a URL: what host it is on, what is asked for there. */
export const urlHost = 2, urlTarget = 4;

const dot = 0x2e, at = 0x40;
const byteClass: Uint8Array = new Uint8Array(256);
/** Of names; of the parts of e-mail addresses. */
const inName = 1, inMailbox = 2;
for (let byte = 0; byte < 128; byte++) {
  const character = String.fromCharCode(byte);
  byteClass[byte] = (/[\w.-]/.test(character) ? inName : 0) | (/[^\s@<>"(),:;\\[\]]/.test(character) ? inMailbox : 0);
}

/** Tells from the bytes of a string whether it may be, or hold, something that is watched for. Never wrong when it says no. */
export class Sieve {
  readonly #watchlist: Watchlist;
  readonly #subdomains: boolean;
  readonly #scratch: Scratch = new Scratch();
  readonly #host: UrlHost = new UrlHost();
  #table: HashTable = new HashTable();
  #addresses: Addresses = new Addresses(this.#table);
  #watched = 0;
  /** Values removed from the watchlist that the table still has. */
  #stale = 0;

  constructor(watchlist: Watchlist, subdomains: boolean) {
    this.#watchlist = watchlist;
    this.#subdomains = subdomains;
  }

  /** What strings may hold that is of interest, one bit each. */
  get watched(): number {
    return this.#watched;
  }

  /** After it was added to the watchlist. */
  add({ kind, value }: Observable): void {
    const { bytes, view } = this.#scratch;
    const length = this.#scratch.write(value);
    switch (kind) {
      case "ip":
        this.#watched |= asAddress;
        this.#addresses.add(bytes, view, 0, length, direct);
        break;
      case "cidr": {
        const block = parseBlock(value);
        if (block === undefined) return;
        this.#watched |= asAddress;
        this.#addresses.addBlock(block, direct);
        break;
      }
      case "domain":
        this.#watched |= asName;
        this.#table.set(hashText(bytes, view, 0, length), direct);
        break;
      case "url": {
        if (!this.#host.find(bytes, 0, length)) return;
        this.#watched |= asAddress | asName | asUrl | asText;
        const { from, to, target } = this.#host;
        if (!this.#addresses.add(bytes, view, from, to, urlHost)) this.#table.set(hashText(bytes, view, from, to), urlHost);
        this.#table.set(hashText(bytes, view, target, length), urlTarget);
        break;
      }
      case "email":
        this.#watched |= asMailbox;
        this.#table.set(hashText(bytes, view, 0, length), direct);
        break;
      default:
        this.#watched |= asText;
        this.#table.set(hashText(bytes, view, 0, length), direct);
        if (kind === "certificate") this.#table.set(this.#hashOf(value.replace(/..(?!$)/g, "$&:")), direct);
    }
  }

  /** After it was removed from the watchlist. */
  removed(): void {
    if (++this.#stale <= this.#watchlist.size + 1_000) return;
    this.#stale = this.#watched = 0;
    this.#table = new HashTable();
    this.#addresses = new Addresses(this.#table);
    for (const observable of this.#watchlist) this.add(observable);
  }

  /** Of ASCII text without escapes. `contents`: what it may hold that is of interest. */
  plain(bytes: Uint8Array, view: DataView, from: number, to: number, contents: number): number {
    if (to === from || to - from > maxText) return 0;
    let flags = 0;
    if ((contents & asAddress) !== 0) flags |= this.#addresses.flagsOf(bytes, view, from, to);
    if ((contents & (asName | asText)) !== 0) flags |= this.#table.get(hashText(bytes, view, from, to));
    if ((contents & asName) !== 0 && (this.#subdomains || bytes[to - 1] === dot)) flags |= this.#nameFlags(bytes, view, from, to);
    if ((contents & asUrl) !== 0) flags |= this.#urlFlags(bytes, view, from, to);
    if ((contents & asMailbox) !== 0) flags |= this.#mailboxFlags(bytes, view, from, to);
    return flags;
  }

  /** Of text with escapes or other than ASCII: what stands between the quotes. */
  strange(text: Buffer, contents: number): number {
    const { bytes, view } = this.#scratch;
    const length = this.#scratch.unescape(text);
    if (length >= 0) return this.plain(bytes, view, 0, length, contents);
    let value: string;
    try {
      value = JSON.parse(`"${text.toString()}"`) as string;
    } catch {
      return 0;
    }
    if (fieldContents.some((content) => this.#watchlist.find(content, value).length > 0)) return direct;
    return (this.#table.get(this.#hashOf(value)) | this.#table.get(this.#hashOf(readDomain(value) ?? ""))) & (urlHost | urlTarget);
  }

  #hashOf(text: string): number {
    return hashText(this.#scratch.bytes, this.#scratch.view, 0, this.#scratch.write(text));
  }

  /** A dot at the end is none of the name; names above it count with `subdomains`. */
  #nameFlags(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    let flags = 0;
    let end = to;
    if (bytes[to - 1] === dot) flags = this.#table.get(hashText(bytes, view, from, --end));
    if (!this.#subdomains || end - from > 253) return flags;
    for (let here = from; here < end - 1; here++) {
      const byte = bytes[here] as number;
      if (byte === dot) flags |= this.#table.get(hashText(bytes, view, here + 1, end)) & direct;
      else if (((byteClass[byte] as number) & inName) === 0) return flags;
    }
    return flags;
  }

  /** By its host alone. */
  #urlFlags(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    if (!this.#host.find(bytes, from, to)) return 0;
    const { from: start, to: end } = this.#host;
    const flags = this.#table.get(hashText(bytes, view, start, end)) | this.#addresses.flagsOf(bytes, view, start, end) | this.#nameFlags(bytes, view, start, end);
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
