import { Expiring } from "./expiring.ts";
import type { IntelItem, IntelOperation, IntelType } from "./intel.ts";
import type { Change } from "./map.ts";

interface Known {
  readonly created: bigint;
  readonly modified: bigint;
  readonly until: bigint | undefined;
  readonly items: readonly IntelItem[];
}

interface Holders {
  readonly ids: Set<string>;
  /** The one Zeek knows it by: the latest it heard of. */
  shown: string;
}

/** Withdrawn indicators to remember, so that an older version of one that comes late does not bring it back. */
const mostWithdrawn = 100_000;

/**
 * What one Zeek was told, and what it has to be told next. Several indicators may name one value: it is watched until the last of them is gone.
 *
 * Scripts differ in what REMOVE does. The first Threat Bus's takes the value away altogether, whoever named it: then it is sent for the last of them only,
 * and while others are left, the value is added anew under the id of one of them, since Zeek remembers the latest alone. A script that keeps indicators
 * apart (`separate`) is told about each.
 */
export class Ledger {
  readonly #known = new Map<string, Known>();
  /** Who names a value, by its type: one id, or several. */
  readonly #holders = new Map<IntelType, Map<string, string | Holders>>(types.map((type) => [type, new Map()]));
  readonly #withdrawn = new Map<string, bigint>();
  readonly #expiring = new Expiring();
  readonly #max: number;
  separate = false;
  /** Indicators forgotten for want of room. */
  forgotten = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Indicators that Zeek watches for. */
  get size(): number {
    return this.#known.size;
  }

  /** @param now nanoseconds since 1970-01-01 UTC @returns in the order to be sent; undefined if the change is older than what is known */
  apply(change: Change, now: bigint): readonly IntelOperation[] | undefined {
    const { id, modified } = change;
    const known = this.#known.get(id);
    const latest = known?.modified ?? this.#withdrawn.get(id);
    if (latest !== undefined && modified < latest) return undefined;
    if (change.gone || (change.until !== undefined && change.until <= now)) return this.#withdraw(change, known);
    return this.#add(change, known);
  }

  /** The operations that are due because indicators are no longer valid: about `most` at a time, none when none is. */
  expire(now: bigint, most = 1_000): readonly IntelOperation[] {
    const operations: IntelOperation[] = [];
    while (operations.length < most) {
      const due = this.#expiring.take(now);
      if (due === undefined) break;
      const known = this.#known.get(due.id);
      // It may have got another end since, or gone.
      if (known?.until !== due.until) continue;
      this.#forget(due.id, known.modified);
      for (const item of known.items) operations.push(...this.#release(item, due.id, known.created));
    }
    return operations;
  }

  /** An indicator that names the value, if one does. */
  holderOf(value: string): string | undefined {
    for (const type of types) {
      const holder = this.holderOfItem({ type, value });
      if (holder !== undefined) return holder;
    }
    return undefined;
  }

  holderOfItem(item: IntelItem): string | undefined {
    const holders = this.#valuesOf(item).get(item.value);
    return typeof holders === "object" ? holders.shown : holders;
  }

  #valuesOf({ type }: IntelItem): Map<string, string | Holders> {
    return this.#holders.get(type) as Map<string, string | Holders>;
  }

  #add(change: Change, known: Known | undefined): IntelOperation[] {
    const { id, created, modified, until, items } = change;
    const operations: IntelOperation[] = [];
    if (known !== undefined) {
      const kept = new Set(items.map(keyOf));
      for (const item of known.items) if (!kept.has(keyOf(item))) operations.push(...this.#release(item, id, created));
      this.#known.delete(id);
    }
    this.#withdrawn.delete(id);
    if (items.length === 0) return operations;
    this.#known.set(id, { created, modified, until, items });
    if (until !== undefined) this.#remind(id, until);
    for (const item of items) {
      this.#hold(item, id);
      operations.push({ operation: "ADD", id, created, type: item.type, value: item.value });
    }
    if (this.#known.size > this.#max) this.#dropOldest();
    return operations;
  }

  /** Of an indicator that is not known, the values it names: Zeek may have it from before. */
  #withdraw(change: Change, known: Known | undefined): IntelOperation[] {
    const { id, created, modified } = change;
    this.#forget(id, modified);
    const items = new Map([...(known?.items ?? []), ...change.items].map((item) => [keyOf(item), item]));
    return [...items.values()].flatMap((item) => this.#release(item, id, known?.created ?? created));
  }

  #forget(id: string, modified: bigint): void {
    this.#known.delete(id);
    this.#withdrawn.delete(id);
    this.#withdrawn.set(id, modified);
    if (this.#withdrawn.size > mostWithdrawn) this.#withdrawn.delete(firstOf(this.#withdrawn.keys()));
  }

  /** Ends that were changed over and over are swept out now and then. */
  #remind(id: string, until: bigint): void {
    if (this.#expiring.size > 2 * this.#known.size + 1_024) {
      this.#expiring.clear();
      for (const [each, known] of this.#known) if (known.until !== undefined && each !== id) this.#expiring.put(each, known.until);
    }
    this.#expiring.put(id, until);
  }

  #hold(item: IntelItem, id: string): void {
    const values = this.#valuesOf(item);
    const holders = values.get(item.value);
    if (holders === undefined) values.set(item.value, id);
    else if (holders === id) return;
    else if (typeof holders === "string") values.set(item.value, { ids: new Set([holders, id]), shown: id });
    else {
      holders.ids.add(id);
      holders.shown = id;
    }
  }

  #release(item: IntelItem, id: string, created: bigint): IntelOperation[] {
    const shown = this.#letGo(item, id);
    const heir = this.holderOfItem(item);
    if (this.separate || heir === undefined) return [{ operation: "REMOVE", id, created, ...item }];
    return shown ? [{ operation: "ADD", id: heir, created: this.#known.get(heir)?.created ?? created, ...item }] : [];
  }

  /** Returns whether Zeek knew the value by this indicator. */
  #letGo(item: IntelItem, id: string): boolean {
    const values = this.#valuesOf(item);
    const holders = values.get(item.value);
    if (holders === id) return values.delete(item.value);
    if (typeof holders !== "object" || !holders.ids.delete(id)) return false;
    const shown = holders.shown === id;
    if (shown) holders.shown = firstOf(holders.ids);
    if (holders.ids.size === 1) values.set(item.value, holders.shown);
    return shown;
  }

  /** Zeek keeps watching for its values; only their end is no longer this side's to tell. */
  #dropOldest(): void {
    const id = firstOf(this.#known.keys());
    for (const item of this.#known.get(id)?.items ?? []) this.#letGo(item, id);
    this.#known.delete(id);
    this.forgotten++;
  }
}

const types = ["DOMAIN", "ADDR", "URL", "FILE_HASH", "EMAIL", "SUBNET", "FILE_NAME", "CERT_HASH", "SOFTWARE", "USER_NAME"] as const;

function keyOf({ type, value }: IntelItem): string {
  return `${type} ${value}`;
}

function firstOf(ids: Iterable<string>): string {
  for (const id of ids) return id;
  return "";
}
