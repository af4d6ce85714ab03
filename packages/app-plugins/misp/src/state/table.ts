import { randomInt } from "node:crypto";
import type { Identifier } from "stix2-ts-types";
import { ruleTypes } from "../map/types.ts";
import { markingBits, markingsOf } from "../map/tags.ts";
import { Chains, none } from "./chains.ts";
import type { Sent } from "./sent.ts";
import { readWords, uuidOf } from "./uuid.ts";

const patternTypes = ["stix", ...ruleTypes] as const;
/** Places in the flags: six for markings, three for the language, one for split attributes. */
const typeShift = 6, splitFlag = 1 << 9;

/** Bytes of text for each attribute, on average: with all else, not more than 300 are used. */
const textEach = 150;
/** Text that is kept in any case, since a single rule may be as large as a message. */
const textFloor = 32 * 1024 * 1024;
/** The time in a slot that is not in use. */
const free = -1;
/** Slots at first. */
const smallest = 1_024;
/** Creators whose names are kept once for all. */
const mostCreators = 10_000;
/** What V8 adds to a string: a header of 16 bytes, and room to the next multiple of 8. */
const stringHeader = 20;

/**
 * What was sent, packed: numbers in typed arrays, text as flat strings, no object per attribute. A million take a few hundred megabytes and
 * next to none of the garbage collector's time. Full, it lets go of the longest untouched.
 */
export class SentTable {
  readonly #most: number;
  readonly #mostText: number;
  readonly #seed = randomInt(2 ** 32);
  /** What was looked for last, since it is mostly looked for again; its words and its key. */
  #asked = "";
  readonly #words = new Uint32Array(4);
  #askedKey = 0;
  #capacity = 0;
  /** Slots that were ever in use; those let go of since are in `#free`. */
  #used = 0;
  #size = 0;
  #evicted = 0;
  #textBytes = 0;
  readonly #byUuid = new Chains();
  readonly #byEvent = new Chains();
  #ids = new Uint32Array(0);
  #times = new Float64Array(0);
  #events = new Uint32Array(0);
  #fingerprints = new Uint32Array(0);
  #flags = new Uint16Array(0);
  /** Towards the newest, and towards the oldest. */
  #newer = new Int32Array(0);
  #older = new Int32Array(0);
  #oldest = none;
  #newest = none;
  readonly #free: number[] = [];
  readonly #texts: string[] = [];
  readonly #creators: (Identifier<"identity"> | undefined)[] = [];
  readonly #sameCreator = new Map<string, Identifier<"identity">>();

  constructor(most: number) {
    this.#most = most;
    this.#mostText = Math.max(most * textEach, textFloor);
  }

  get size(): number {
    return this.#size;
  }

  /** How many were let go of to make room. */
  get evicted(): number {
    return this.#evicted;
  }

  /** Bytes it takes in memory. */
  get bytes(): number {
    const arrays = [this.#ids, this.#times, this.#events, this.#fingerprints, this.#flags, this.#newer, this.#older, this.#byUuid, this.#byEvent];
    return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0) + this.#textBytes + 16 * this.#texts.length;
  }

  get(uuid: string): Sent | undefined {
    const slot = this.#find(uuid);
    return slot === none ? undefined : this.#read(slot);
  }

  ofEvent(eventId: string): readonly string[] {
    const event = numberOf(eventId);
    const uuids: string[] = [];
    if (event === 0 || this.#capacity === 0) return uuids;
    for (let slot = this.#byEvent.first(event); slot !== none; slot = this.#byEvent.next(slot)) if (this.#events[slot] === event) uuids.push(this.#uuid(slot));
    return uuids.reverse();
  }

  /** Remembers it as the one last touched. */
  set(uuid: string, sent: Sent): void {
    let slot = this.#find(uuid);
    if (slot === none) slot = this.#enter();
    else {
      this.#unlink(slot);
      this.#byEvent.remove(slot, this.#events[slot] ?? 0);
      this.#textBytes -= weightOf(this.#texts[slot] ?? "");
    }
    this.#write(slot, sent);
    this.#byEvent.add(slot, this.#events[slot] ?? 0);
    this.#link(slot);
    while (this.#textBytes > this.#mostText && this.#size > 1) this.#evict();
  }

  /** Those that are on the bus. */
  *uuids(): Generator<string, void, undefined> {
    for (const [slot, text] of this.#texts.entries()) if (text !== "") yield this.#uuid(slot);
  }

  /** All, the longest untouched first. Changes meanwhile are seen or not. */
  *entries(): Generator<readonly [uuid: string, sent: Sent], void, undefined> {
    const order = new Int32Array(this.#size);
    for (let slot = this.#oldest, at = 0; slot !== none; slot = this.#newer[slot] ?? none) order[at++] = slot;
    for (const slot of order) if (this.#times[slot] !== free) yield [this.#uuid(slot), this.#read(slot)];
  }

  #find(uuid: string): number {
    if (uuid !== this.#asked) {
      this.#asked = uuid;
      readWords(uuid, this.#words);
      this.#askedKey = this.#hash(this.#words, 0);
    }
    if (this.#capacity === 0) return none;
    const ids = this.#ids, words = this.#words;
    for (let slot = this.#byUuid.first(this.#askedKey); slot !== none; slot = this.#byUuid.next(slot)) {
      const at = slot * 4;
      if (ids[at] === words[0] && ids[at + 1] === words[1] && ids[at + 2] === words[2] && ids[at + 3] === words[3]) return slot;
    }
    return none;
  }

  /** A slot for the UUID that was looked for last, its content still to be written. */
  #enter(): number {
    if (this.#size >= this.#most) this.#evict();
    if (this.#free.length === 0 && this.#used === this.#capacity) this.#grow();
    const slot = this.#free.pop() ?? this.#used++;
    this.#ids.set(this.#words, slot * 4);
    this.#byUuid.add(slot, this.#keyAt(slot));
    this.#size++;
    return slot;
  }

  #evict(): void {
    const slot = this.#oldest;
    if (slot === none) return;
    this.#unlink(slot);
    this.#byUuid.remove(slot, this.#keyAt(slot));
    this.#byEvent.remove(slot, this.#events[slot] ?? 0);
    this.#textBytes -= weightOf(this.#texts[slot] ?? "");
    this.#texts[slot] = "";
    this.#times[slot] = free;
    this.#free.push(slot);
    this.#size--;
    this.#evicted++;
  }

  #grow(): void {
    const capacity = Math.min(Math.max(this.#capacity * 2, smallest), Math.max(this.#most, 1));
    this.#ids = grown(this.#ids, Uint32Array, capacity * 4);
    this.#times = grown(this.#times, Float64Array, capacity);
    this.#events = grown(this.#events, Uint32Array, capacity);
    this.#fingerprints = grown(this.#fingerprints, Uint32Array, capacity);
    this.#flags = grown(this.#flags, Uint16Array, capacity);
    this.#newer = grown(this.#newer, Int32Array, capacity);
    this.#older = grown(this.#older, Int32Array, capacity);
    this.#byUuid.resize(capacity, this.#used, (slot) => this.#keyAt(slot));
    this.#byEvent.resize(capacity, this.#used, (slot) => this.#events[slot] ?? 0);
    this.#capacity = capacity;
  }

  #write(slot: number, { patterns, patternType, timestamp, eventId, fingerprint, creator, markings }: Sent): void {
    const text = patterns.join("\n");
    this.#texts[slot] = text;
    this.#textBytes += weightOf(text);
    this.#times[slot] = timestamp;
    this.#events[slot] = numberOf(eventId);
    this.#fingerprints[slot] = fingerprint;
    this.#flags[slot] = markingBits(markings ?? []) | (patternTypes.indexOf(patternType) << typeShift) | (patterns.length > 1 ? splitFlag : 0);
    this.#creators[slot] = creator && this.#shared(creator);
  }

  #read(slot: number): Sent {
    const text = this.#texts[slot] ?? "";
    const flags = this.#flags[slot] ?? 0;
    const creator = this.#creators[slot];
    const markings = markingsOf(flags);
    return {
      // Halves are a domain and an address, which have no line breaks.
      patterns: text === "" ? [] : (flags & splitFlag) === 0 ? [text] : text.split("\n"),
      patternType: patternTypes[(flags >> typeShift) & 7] ?? "stix",
      timestamp: this.#times[slot] ?? 0,
      eventId: String(this.#events[slot] || ""),
      fingerprint: this.#fingerprints[slot] ?? 0,
      ...(creator !== undefined && { creator }),
      ...(markings.length > 0 && { markings }),
    };
  }

  #link(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = none;
    if (this.#newest === none) this.#oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const newer = this.#newer[slot] ?? none;
    const older = this.#older[slot] ?? none;
    if (older === none) this.#oldest = newer;
    else this.#newer[older] = newer;
    if (newer === none) this.#newest = older;
    else this.#older[newer] = older;
  }

  #uuid(slot: number): string {
    const [a = 0, b = 0, c = 0, d = 0] = this.#ids.subarray(slot * 4, slot * 4 + 4);
    return uuidOf(a, b, c, d);
  }

  #keyAt(slot: number): number {
    return this.#hash(this.#ids, slot * 4);
  }

  /** Seeded, since UUIDs come from outside and could be made to share a bucket. */
  #hash(words: Uint32Array, at: number): number {
    let hash = this.#seed;
    for (let end = at + 4, place = at; place < end; place++) {
      hash = Math.imul(hash ^ (words[place] ?? 0), 0x85ebca6b);
      hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    }
    return hash ^ (hash >>> 16);
  }

  #shared(creator: Identifier<"identity">): Identifier<"identity"> {
    const same = this.#sameCreator.get(creator);
    if (same !== undefined) return same;
    if (this.#sameCreator.size >= mostCreators) this.#sameCreator.clear();
    this.#sameCreator.set(creator, creator);
    return creator;
  }
}

/** Event ids are MISP's row numbers. 0 for anything else. */
function numberOf(eventId: string): number {
  return /^\d{1,10}$/.test(eventId) && Number(eventId) < 2 ** 32 ? Number(eventId) : 0;
}

/** Bytes of a string in memory: V8 takes one for each character, or two if one of them is beyond Latin-1; more than it takes for Latin-1 beyond ASCII. */
function weightOf(text: string): number {
  return stringHeader + (Buffer.byteLength(text) === text.length ? text.length : 2 * text.length);
}

function grown<Numbers extends { set(old: Numbers): void }>(old: Numbers, make: new (length: number) => Numbers, length: number): Numbers {
  const larger = new make(length);
  larger.set(old);
  return larger;
}
