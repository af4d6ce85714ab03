/** Lookup tables in the node: made for one purpose, filled, compared, and removed when nothing reads them any more. */
import { randomBytes } from "node:crypto";
import { EngineError } from "../../engine.ts";
import type { Observable } from "../../observable.ts";
import type { Client } from "./client.ts";
import type { TableKind } from "./keys.ts";
import { keyFromLine, keysOf } from "./keys.ts";
import type { Spelling } from "./tql.ts";
import { quote } from "./tql.ts";

export interface TablesOptions {
  /** Part of the names of all tables of this bridge, and of those of no other. */
  readonly identity: () => Promise<string>;
  /** Milliseconds for a call, and again for every 10,000 entries. */
  readonly patience: number;
  readonly spelling: Spelling;
}

export class Tables {
  readonly #client: Client;
  readonly #options: TablesOptions;
  readonly #used = new Set<string>();
  #swept: Promise<void> | undefined;

  constructor(client: Client, options: TablesOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** A new and empty table. Before the first, and after one could not be removed, what was left is removed. */
  async create(kind: TableKind, signal: AbortSignal): Promise<Table> {
    this.#swept ??= this.sweep(signal);
    await this.#swept.catch((thrown: unknown) => {
      this.#swept = undefined;
      throw thrown;
    });
    const name = `${await this.#prefix()}${randomBytes(4).toString("hex")}-${kind}`;
    this.#used.add(name);
    await this.#client.ask(`${this.#options.spelling("create_lookup_table")} ${quote(name)}`, { signal }).catch((thrown: unknown) => {
      this.#used.delete(name);
      throw thrown;
    });
    return new Table(name, kind, this.#client, this.#options);
  }

  /** Only when no process reads them: one that does would go dead. Those of a node that does not answer are left to {@link sweep}. */
  async remove(tables: readonly Table[]): Promise<void> {
    await Promise.all(tables.map(({ name }) => {
      this.#used.delete(name);
      return this.#drop(name);
    }));
  }

  /** Removes the tables of this bridge that are in no use: those of a killed process, or of a node that was away. */
  async sweep(signal: AbortSignal): Promise<void> {
    const prefix = await this.#prefix();
    const unused = [...(await this.sizes(signal)).keys()].filter((name) => name.startsWith(prefix) && !this.#used.has(name));
    await Promise.all(unused.map((name) => this.#drop(name)));
  }

  /** Entries by name of table, of all tables of the node. */
  async sizes(signal: AbortSignal): Promise<Map<string, number>> {
    const lines = await this.#client.ask(`${this.#options.spelling("list")}\nwrite_ndjson`, { signal });
    return new Map(lines.map((line) => JSON.parse(line) as { name: string; num_entries?: number }).map(({ name, num_entries = 0 }) => [name, num_entries]));
  }

  async #prefix(): Promise<string> {
    return `threatbus-${await this.#options.identity()}-`;
  }

  async #drop(name: string): Promise<void> {
    // A node that was killed may even have it again once it is back.
    await this.#client.ask(`${this.#options.spelling("remove")} ${quote(name)}`).catch(() => void (this.#swept = undefined));
  }
}

export class Table {
  readonly name: string;
  readonly kind: TableKind;
  readonly #client: Client;
  readonly #options: TablesOptions;
  /** Lines of keys, and how many observables need them. */
  readonly #keys = new Map<string, number>();

  constructor(name: string, kind: TableKind, client: Client, options: TablesOptions) {
    this.name = name;
    this.kind = kind;
    this.#client = client;
    this.#options = options;
  }

  /** What {@link Tables.sizes} has to say of it. */
  get size(): number {
    return this.#keys.size;
  }

  /** In effect when it resolves, in programs that run as well. Observables of the other kind of table are passed over. */
  async add(observables: Iterable<Observable>, signal: AbortSignal): Promise<void> {
    const fresh: string[] = [];
    for (const key of this.#keysOf(observables)) {
      const users = this.#keys.get(key) ?? 0;
      if (users === 0) fresh.push(key);
      this.#keys.set(key, users + 1);
    }
    const { spelling } = this.#options;
    if (fresh.length > 0) await this.#feed(fresh, `${spelling("update")} ${quote(this.name)}, key=key, value=true`, signal);
  }

  /** Only observables that were added. In effect when it resolves. */
  async remove(observables: Iterable<Observable>, signal: AbortSignal): Promise<void> {
    const idle: string[] = [];
    for (const key of this.#keysOf(observables)) {
      const users = this.#keys.get(key) ?? 0;
      if (users > 1) this.#keys.set(key, users - 1);
      else if (this.#keys.delete(key)) idle.push(key);
    }
    const { spelling } = this.#options;
    if (idle.length > 0) await this.#feed(idle, `${spelling("erase")} ${quote(this.name)}, key=key`, signal);
  }

  /** @throws EngineError if the node does not hold what it was given */
  compare(sizes: ReadonlyMap<string, number>): void {
    const there = sizes.get(this.name);
    if (there === this.size) return;
    throw new EngineError(there === undefined ? "the node has lost a lookup table" : `a lookup table has ${there} entries in place of ${this.size}`);
  }

  *#keysOf(observables: Iterable<Observable>): Generator<string> {
    for (const observable of observables) for (const { table, line } of keysOf(observable)) if (table === this.kind) yield line;
  }

  /** A null key would match every event that lacks the field, and could never be erased. */
  async #feed(lines: readonly string[], operator: string, signal: AbortSignal): Promise<void> {
    const patience = this.#options.patience * (1 + lines.length / 10_000);
    await this.#client.ask(["from_stdin { read_ndjson raw=true }", keyFromLine[this.kind], "where key != null", operator].join("\n"), { input: lines, patience, signal });
  }
}
