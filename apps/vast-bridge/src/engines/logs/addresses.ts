import type { Block } from "../../address.ts";
import { isMapped, readAddress4, readAddress6 } from "./address-bytes.ts";
import { hashBlock4, hashBlock6 } from "./hash.ts";
import type { HashTable } from "./hash-table.ts";

const openBracket = 0x5b;

/** Addresses and blocks of them in a hash table, and whether one that stands in bytes may be among them. */
export class Addresses {
  readonly #table: HashTable;
  readonly #words: Int32Array = new Int32Array(4);
  /** For every /16 of IPv4 one bit: whether a block reaches into it. Few do, so that few addresses are looked up by every prefix. */
  readonly #reached: Int32Array = new Int32Array(2_048);
  /** Prefixes of blocks in the table; 128 is that of an address. */
  readonly #prefixes4: number[] = [];
  readonly #prefixes6: number[] = [];

  constructor(table: HashTable) {
    this.#table = table;
  }

  /** False if it is no address. */
  add(bytes: Uint8Array, view: DataView, from: number, to: number, flags: number): boolean {
    const family = this.#read(bytes, view, from, to);
    if (family === 4) this.#table.set(hashBlock4(this.#words[0] as number, 32), flags);
    if (family === 6) this.#put6(128, flags);
    return family !== 0;
  }

  addBlock({ family, bits, prefix }: Block, flags: number): void {
    if (family === 6) {
      for (let word = 0; word < 4; word++) this.#words[word] = Number((bits >> BigInt(96 - 32 * word)) & 0xffff_ffffn);
      this.#put6(prefix, flags);
      return;
    }
    const address = Number(bits);
    if (!this.#prefixes4.includes(prefix)) this.#prefixes4.push(prefix);
    this.#table.set(hashBlock4(address, prefix), flags);
    const first = address >>> 16, last = first + 2 ** Math.max(0, 16 - prefix);
    for (let at = first; at < last; at++) this.#reached[at >>> 5] = (this.#reached[at >>> 5] as number) | (1 << at);
  }

  /** The flags of all that it is or is in; 0 for what is no address. */
  flagsOf(bytes: Uint8Array, view: DataView, from: number, to: number): number {
    switch (this.#read(bytes, view, from, to)) {
      case 4:
        return this.#flags4(this.#words[0] as number);
      case 6:
        return this.#flags6();
      default:
        return 0;
    }
  }

  /** Which family it is of; its words are there then. */
  #read(bytes: Uint8Array, view: DataView, from: number, to: number): 0 | 4 | 6 {
    if (readAddress4(view, from, to, this.#words)) return 4;
    const inner = bytes[from] === openBracket ? 1 : 0;
    if (!readAddress6(bytes, view, from + inner, to - inner, this.#words)) return 0;
    if (!isMapped(this.#words)) return 6;
    this.#words[0] = this.#words[3] as number;
    return 4;
  }

  #flags4(address: number): number {
    let flags = this.#table.get(hashBlock4(address, 32));
    const network = address >>> 16;
    if (((this.#reached[network >>> 5] as number) & (1 << network)) === 0) return flags;
    for (const prefix of this.#prefixes4) flags |= this.#table.get(hashBlock4(address, prefix));
    return flags;
  }

  #flags6(): number {
    let flags = 0;
    for (const prefix of this.#prefixes6) flags |= this.#table.get(hashBlock6(this.#words, prefix));
    return flags;
  }

  #put6(prefix: number, flags: number): void {
    if (!this.#prefixes6.includes(prefix)) this.#prefixes6.push(prefix);
    this.#table.set(hashBlock6(this.#words, prefix), flags);
  }
}
