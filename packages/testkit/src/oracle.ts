import { hashBytes, idTable } from "./id-table.ts";

/** What a subscription says became of messages its handler never got; `dropped` in one number or by reason. */
export interface Account {
  readonly refused?: number;
  readonly superseded?: number;
  readonly dropped?: number | Readonly<Record<string, number>>;
  readonly waiting?: number;
}

/** What became of the claimed messages at one subscription, or at all of them together. */
export interface OracleFigures {
  /** Claimed messages that arrived intact, each counted once. */
  readonly deliveredDistinct: number;
  /** Every arrival: intact, again, corrupted or spurious. */
  readonly deliveredTotal: number;
  /** Acknowledged to the producer and never arrived intact, whatever the accounts say. */
  readonly missing: number;
  /** What the accounts explain: refused, superseded, dropped and waiting. */
  readonly accounted: number;
  /** `missing` beyond what is `accounted`. */
  readonly lost: number;
  /** Intact arrivals after the first. */
  readonly duplicates: number;
  /** Arrivals nobody claimed. */
  readonly spurious: number;
  /** Arrivals under a claimed id with another payload. */
  readonly corrupted: number;
  /** First arrivals after a later message of the same producer. */
  readonly reordered: number;
  /** Of the first missing message, counting claims from 0. */
  readonly firstMissing?: number;
}

export interface OracleReport {
  readonly issued: number;
  readonly acked: number;
  readonly subscriptions: Readonly<Record<string, OracleFigures>>;
  /** Sums over the subscriptions. */
  readonly total: OracleFigures;
}

/** Knows what was sent and what arrived, message by message. Every subscription is expected to get every acknowledged message. */
export interface Oracle {
  /** A message is about to be sent. @throws Error when the id was claimed before. */
  claim(id: string, payload: Uint8Array, producer?: string): void;
  /** The producer was told that the message is safe. @throws Error when nobody claimed the id. */
  acked(id: string): void;
  /** A message arrived. */
  ingest(subscription: string, id: string, payload: Uint8Array): void;
  /** Adds to what a subscription explains, e.g. its `SubscriptionStats` at the end of each life of its bus. */
  account(subscription: string, counts: Account): void;
  report(): OracleReport;
}

interface Tally {
  seen: Uint8Array;
  /** By producer, one more than the latest claim that arrived. */
  readonly latest: number[];
  total: number;
  distinct: number;
  duplicates: number;
  spurious: number;
  corrupted: number;
  reordered: number;
  accounted: number;
}

/** `subscriptions` are those that must appear in the report even if nothing ever reaches them. About 40 bytes per message. */
export function createOracle(subscriptions: readonly string[] = []): Oracle {
  const ids = idTable();
  const producers = new Map<string, number>();
  const tallies = new Map<string, Tally>();
  let hashes = new Uint32Array(1024);
  let producerOf = new Uint16Array(1024);
  let ackedIds = new Uint8Array(1024);
  let acked = 0;
  for (const name of subscriptions) tallyOf(name);

  function tallyOf(name: string): Tally {
    let tally = tallies.get(name);
    if (tally === undefined) {
      const none = { total: 0, distinct: 0, duplicates: 0, spurious: 0, corrupted: 0, reordered: 0, accounted: 0 };
      tally = { seen: new Uint8Array(hashes.length), latest: [], ...none };
      tallies.set(name, tally);
    }
    return tally;
  }

  function producerNumber(name: string): number {
    const known = producers.get(name);
    if (known !== undefined) return known;
    if (producers.size === 0xffff) throw new RangeError("more than 65,535 producers");
    producers.set(name, producers.size);
    return producers.size - 1;
  }

  function grow(): void {
    const length = hashes.length * 2;
    hashes = enlarge(hashes, new Uint32Array(length));
    producerOf = enlarge(producerOf, new Uint16Array(length));
    ackedIds = enlarge(ackedIds, new Uint8Array(length));
    for (const tally of tallies.values()) tally.seen = enlarge(tally.seen, new Uint8Array(length));
  }

  function figuresOf(tally: Tally): OracleFigures {
    let missing = 0;
    let firstMissing: number | undefined;
    for (let n = 0; n < ids.size; n++) {
      if (ackedIds[n] === 0 || tally.seen[n] !== 0) continue;
      missing++;
      firstMissing ??= n;
    }
    const { total, distinct, accounted, duplicates, spurious, corrupted, reordered } = tally;
    return {
      deliveredDistinct: distinct,
      deliveredTotal: total,
      missing,
      accounted,
      lost: Math.max(0, missing - accounted),
      duplicates,
      spurious,
      corrupted,
      reordered,
      ...(firstMissing === undefined ? {} : { firstMissing }),
    };
  }

  return {
    claim(id, payload, producer = "") {
      const number = ids.add(id);
      if (number === undefined) throw new Error(`id claimed twice: ${id}`);
      if (number === hashes.length) grow();
      hashes[number] = hashBytes(payload);
      producerOf[number] = producerNumber(producer);
    },
    acked(id) {
      const number = ids.find(id);
      if (number === undefined) throw new Error(`acknowledged, but never claimed: ${id}`);
      if (ackedIds[number] === 0) acked++;
      ackedIds[number] = 1;
    },
    ingest(subscription, id, payload) {
      const tally = tallyOf(subscription);
      const number = ids.find(id);
      tally.total++;
      if (number === undefined) tally.spurious++;
      else if (hashes[number] !== hashBytes(payload)) tally.corrupted++;
      else if (tally.seen[number] !== 0) tally.duplicates++;
      else {
        const producer = producerOf[number] ?? 0;
        tally.seen[number] = 1;
        tally.distinct++;
        if (number < (tally.latest[producer] ?? 0)) tally.reordered++;
        else tally.latest[producer] = number + 1;
      }
    },
    account(subscription, { refused = 0, superseded = 0, dropped = 0, waiting = 0 }) {
      const drops = typeof dropped === "number" ? dropped : Object.values(dropped).reduce((sum, count) => sum + count, 0);
      tallyOf(subscription).accounted += refused + superseded + drops + waiting;
    },
    report() {
      const figures = [...tallies].map(([name, tally]) => [name, figuresOf(tally)] as const);
      const sum = (of: (each: OracleFigures) => number): number => figures.reduce((total, [, each]) => total + of(each), 0);
      const total: OracleFigures = {
        deliveredDistinct: sum((each) => each.deliveredDistinct),
        deliveredTotal: sum((each) => each.deliveredTotal),
        missing: sum((each) => each.missing),
        accounted: sum((each) => each.accounted),
        lost: sum((each) => each.lost),
        duplicates: sum((each) => each.duplicates),
        spurious: sum((each) => each.spurious),
        corrupted: sum((each) => each.corrupted),
        reordered: sum((each) => each.reordered),
      };
      return { issued: ids.size, acked, subscriptions: Object.fromEntries(figures), total };
    },
  };
}

function enlarge<T extends Uint8Array | Uint16Array | Uint32Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
