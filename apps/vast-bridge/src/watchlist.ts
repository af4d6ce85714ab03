import { parseAddress, parseBlock, printAddress, printBlock } from "./address.ts";
import type { Address } from "./address.ts";
import type { FieldContent } from "./fields.ts";
import type { Observable, ObservableKind } from "./observable.ts";
import { observableAt, readDomain, urlParts } from "./observable.ts";
import type { UrlParts } from "./observable.ts";

/** UTF-16 units of a field; more is no value of anything. */
export const maxText = 8_192;
const hashKinds: Readonly<Record<number, ObservableKind>> = { 32: "md5", 40: "sha1", 64: "sha256", 128: "sha512" };
const mailbox = /[^\s@<>"(),:;\\[\]]{1,64}@[^\s@<>"(),:;\\[\]]{1,254}/g;
const pairs = /^[0-9a-f]{2}(?::[0-9a-f]{2})+$/i;
const widths = { 4: 32, 6: 128 } as const;

/** The observables that are looked for, and how they are found in the text of a field. */
export class Watchlist {
  readonly #subdomains: boolean;
  readonly #values = new Map<ObservableKind, Set<string>>();
  /** Prefix length → the prefixes' bits. */
  readonly #blocks = { 4: new Map<number, Set<bigint>>(), 6: new Map<number, Set<bigint>>() };
  #size = 0;

  /** @param subdomains whether a domain is also found in the names below it */
  constructor(subdomains: boolean) {
    this.#subdomains = subdomains;
  }

  get size(): number {
    return this.#size;
  }

  /** False if it was there. */
  add({ kind, value }: Observable): boolean {
    const values = this.#values.get(kind) ?? new Set();
    const before = values.size;
    if (values.add(value).size === before) return false;
    this.#values.set(kind, values);
    this.#size++;
    if (kind === "cidr") this.#block(value, (prefixes, bits) => void prefixes.add(bits));
    return true;
  }

  /** False if it was not there. */
  remove({ kind, value }: Observable): boolean {
    if (this.#values.get(kind)?.delete(value) !== true) return false;
    this.#size--;
    if (kind === "cidr") this.#block(value, (prefixes, bits) => void prefixes.delete(bits));
    return true;
  }

  has({ kind, value }: Observable): boolean {
    return this.#values.get(kind)?.has(value) ?? false;
  }

  *[Symbol.iterator](): Generator<Observable> {
    for (const [kind, values] of this.#values) for (const value of values) yield { kind, value };
  }

  /** What is found in a field with such content. */
  find(content: FieldContent, text: string): Observable[] {
    if (text.length > maxText) return [];
    switch (content) {
      case "ip":
        return this.#address(text) ?? [];
      case "host":
        return this.#address(text) ?? this.#domain(text);
      case "url": {
        // Text without a slash is no URL to anybody: a name, an address.
        const parts = text.includes("/") ? urlParts(text) : undefined;
        return parts === undefined ? [] : this.#known("url", spellings(parts));
      }
      case "email":
        return (text.match(mailbox) ?? []).flatMap((address) => {
          const read = observableAt("email-addr:value", address);
          return "kind" in read ? this.#known("email", [read.value]) : [];
        });
      case "file_hash": {
        const kind = hashKinds[text.length];
        return kind === undefined ? [] : this.#known(kind, [text.toLowerCase()]);
      }
      case "certificate":
        return this.#known("certificate", [(pairs.test(text) ? text.replaceAll(":", "") : text).toLowerCase()]);
      default:
        return this.#known(content, [text.toLowerCase()]);
    }
  }

  /** A URL that an event holds in pieces; `target` is what the request names, the whole URL with a proxy. */
  findSplitUrl(host: string, target: string, port: unknown): Observable[] {
    if (host.length + target.length > maxText) return [];
    if (!target.startsWith("/")) return this.find("url", target);
    const address = addressOf(host);
    const name = address === undefined ? readDomain(host) : printAddress(address);
    if (name === undefined) return [];
    const written = typeof port === "number" && port !== 80 ? [undefined, port] : [undefined];
    const parts = written.map((port): UrlParts => ({ scheme: "http", host: name, target, ...(port !== undefined && { port }) }));
    if (port === 443) parts.push({ scheme: "https", host: name, target });
    return this.#known("url", parts.flatMap(spellings));
  }

  #known(kind: ObservableKind, values: readonly string[]): Observable[] {
    const known = this.#values.get(kind);
    return known === undefined ? [] : values.filter((value) => known.has(value)).map((value) => ({ kind, value }));
  }

  /** Undefined if the text is no address. */
  #address(text: string): Observable[] | undefined {
    const address = addressOf(text);
    if (address === undefined) return undefined;
    const found = this.#known("ip", [printAddress(address)]);
    const { family, bits } = address;
    for (const [prefix, prefixes] of this.#blocks[family]) {
      const host = BigInt(widths[family] - prefix);
      const base = bits >> host;
      if (prefixes.has(base)) found.push({ kind: "cidr", value: printBlock({ family, bits: base << host, prefix }) });
    }
    return found;
  }

  #domain(text: string): Observable[] {
    const name = readDomain(text);
    if (name === undefined) return [];
    const names = [name];
    if (this.#subdomains) for (let dot = name.indexOf("."); dot >= 0; dot = name.indexOf(".", dot + 1)) names.push(name.slice(dot + 1));
    return this.#known("domain", names);
  }

  #block(value: string, change: (prefixes: Set<bigint>, bits: bigint) => void): void {
    const block = parseBlock(value);
    if (block === undefined) return;
    const { family, bits, prefix } = block;
    const blocks = this.#blocks[family];
    const prefixes = blocks.get(prefix) ?? new Set();
    change(prefixes, bits >> BigInt(widths[family] - prefix));
    if (prefixes.size === 0) blocks.delete(prefix);
    else blocks.set(prefix, prefixes);
  }
}

/** IPv6 addresses stand in brackets where a port may follow. */
function addressOf(text: string): Address | undefined {
  return parseAddress(text.startsWith("[") && text.endsWith("]") && text.includes(":") ? text.slice(1, -1) : text);
}

/** How an indicator may name the URL: an observable without a scheme means any. */
function spellings({ scheme, host, port, target }: UrlParts): string[] {
  const rest = `${host.includes(":") ? `[${host}]` : host}${port === undefined ? "" : `:${port}`}${target}`;
  return scheme === undefined ? [rest, `http://${rest}`, `https://${rest}`] : [`${scheme}://${rest}`, rest];
}
