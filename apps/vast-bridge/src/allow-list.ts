import { contains, parseAddress, parseBlock } from "./address.ts";
import type { Address, Block } from "./address.ts";
import { observableOf, urlParts } from "./observable.ts";
import type { Observable } from "./observable.ts";

/** What is one's own or known to be good, and never matched: addresses, blocks, names with all below them, and other values as they are. */
export class AllowList {
  readonly #blocks: Block[] = [];
  readonly #names = new Set<string>();
  readonly #values = new Set<string>();

  /** Entries that are none are values as they are, e.g. hashes. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const one = observableOf(entry);
      if (one?.kind === "ip" || one?.kind === "cidr") this.#blocks.push(blockOf(one.value));
      else if (one?.kind === "domain") this.#names.add(one.value);
      else this.#values.add(one?.value ?? entry.toLowerCase());
    }
  }

  allows({ kind, value }: Observable): boolean {
    if (this.#values.has(value)) return true;
    if (kind === "ip" || kind === "cidr") return this.#hasBlock(blockOf(value));
    const host = kind === "domain" ? value : kind === "url" ? (urlParts(value)?.host ?? "") : kind === "email" ? value.slice(value.indexOf("@") + 1) : "";
    const address = parseAddress(host);
    return address === undefined ? this.#hasName(host) : this.#hasBlock(blockOf(host));
  }

  /** Whole blocks only: one that is in part of others is matched. */
  #hasBlock(block: Block): boolean {
    return this.#blocks.some((own) => own.prefix <= block.prefix && contains(own, block));
  }

  #hasName(host: string): boolean {
    for (let name = host; name !== ""; name = name.includes(".") ? name.slice(name.indexOf(".") + 1) : "") if (this.#names.has(name)) return true;
    return false;
  }
}

function blockOf(value: string): Block {
  const block = parseBlock(value);
  if (block !== undefined) return block;
  const address = parseAddress(value) as Address;
  return { ...address, prefix: address.family === 4 ? 32 : 128 };
}
