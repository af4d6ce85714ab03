import { readState, reserve, setAside, StateFile } from "./file.ts";
import { Halves } from "./halves.ts";
import { Journal } from "./journal.ts";
import type { Surroundings } from "./journal.ts";
import { header, markLine, sentLine } from "./line.ts";
import type { StateOptions } from "./options.ts";
import { Reports } from "./reports.ts";
import type { Known, Sent } from "./sent.ts";
import { SentTable } from "./table.ts";

/** What was sent, and how far MISP was read. */
export interface SentStore extends Known {
  set(uuid: string, sent: Sent): void;
  /** Those that are on the bus. */
  uuids(): Iterable<string>;
  /** The remembered attribute an indicator's UUID stands for: its own, or that of a split one's second half. */
  attributeOf(uuid: string): string | undefined;
  /** A number kept under a name, such as the time up to which everything was seen. Not newer on disk than what was `set` before it. */
  mark(name: string): number | undefined;
  setMark(name: string, value: number): void;
  /** Sightings that wait for MISP. */
  readonly reports: Reports;
  /** Whether what is remembered outlives the process. */
  readonly lasting: boolean;
  /** Attributes remembered. */
  readonly size: number;
  /** Bytes it takes in memory. */
  readonly memoryBytes: number;
  /** Bytes it takes on the disk. */
  readonly diskBytes: number;
  /** Writes what waits. Twice is harmless. */
  close(): Promise<void>;
}

/** Lines written at a time, with a look at what else there is to do in between. */
const batch = 2_000;

/**
 * The memory of one MISP, in a file if it has a path. Every change is appended and on the disk (`fdatasync`) a second later; now and then
 * the file is written anew beside the old one and put in its place. Half a line at its end is dropped; a file damaged in its midst is set aside, and
 * what could be read of it is kept.
 * @throws ThreatbusError `OPTIONS_INVALID` if the file cannot be used, `PLUGIN_START_FAILED` if another uses it
 */
export async function openState({ path, max_items }: StateOptions, surroundings: Surroundings): Promise<SentStore> {
  if (path === undefined) return new State(new SentTable(max_items), new Halves(max_items), new Map(), new Reports(), false);
  const release = reserve(path);
  try {
    return await openFile(path, max_items, surroundings, release);
  } catch (thrown) {
    release();
    throw thrown;
  }
}

async function openFile(path: string, max_items: number, { logger, clock }: Surroundings, release: () => void): Promise<SentStore> {
  const table = new SentTable(max_items);
  const marks = new Map<string, number>();
  const halves = new Halves(max_items);
  const reports = new Reports();
  const found = await readState(path, (line) => {
    if ("mark" in line) marks.set(line.mark, line.value);
    else if ("report" in line) reports.read(line.report);
    else if ("done" in line) reports.delete(line.done);
    else {
      table.set(line.uuid, line.sent);
      if (line.sent.patterns.length > 1) halves.add(line.uuid);
    }
  });
  if (found.damaged !== 0) {
    const aside = await setAside(path, clock.now());
    if (found.damaged < 0) logger.warn("the state file is none of this plugin: it was set aside, and a new one is begun", { path, aside });
    else logger.warn("the state file is damaged: it was set aside, and what could be read of it is kept", { path, aside, lines: found.lines, damaged: found.damaged });
  }
  const whole = found.damaged === 0;
  const file = await StateFile.open(path, whole ? found.bytes : 0);
  if (found.existed && found.damaged >= 0) logger.info("what was sent before is remembered", { path, attributes: table.size });
  const content = { get length() { return table.size + marks.size + reports.size; }, lines: () => linesOf(table, marks, reports), changes: () => reports.changes() };
  const journal = new Journal(file, whole ? found.lines : undefined, content, { logger, clock });
  return new State(table, halves, marks, reports, found.existed && whole, { journal, release });
}

class State implements SentStore {
  readonly reports: Reports;
  readonly #table: SentTable;
  readonly #halves: Halves;
  readonly #marks: Map<string, number>;
  readonly #whole: boolean;
  readonly #journal: Journal | undefined;
  readonly #release: (() => void) | undefined;

  /** @param whole everything sent by the processes before is in the table */
  constructor(table: SentTable, halves: Halves, marks: Map<string, number>, reports: Reports, whole: boolean, file?: { readonly journal: Journal; readonly release: () => void }) {
    this.#table = table;
    this.#halves = halves;
    this.#marks = marks;
    this.reports = reports;
    this.#whole = whole;
    this.#journal = file?.journal;
    this.#release = file?.release;
  }

  get size(): number {
    return this.#table.size;
  }

  get memoryBytes(): number {
    return this.#table.bytes + this.#halves.bytes;
  }

  get diskBytes(): number {
    return this.#journal?.bytes ?? 0;
  }

  get lasting(): boolean {
    return this.#journal !== undefined;
  }

  get complete(): boolean {
    return this.#whole && this.#table.evicted === 0;
  }

  get(uuid: string): Sent | undefined {
    return this.#table.get(uuid);
  }

  set(uuid: string, sent: Sent): void {
    this.#table.set(uuid, sent);
    if (sent.patterns.length > 1) this.#halves.add(uuid);
    this.#journal?.add(sentLine(uuid, sent));
  }

  ofEvent(eventId: string): readonly string[] {
    return this.#table.ofEvent(eventId);
  }

  uuids(): Iterable<string> {
    return this.#table.uuids();
  }

  attributeOf(uuid: string): string | undefined {
    return this.#table.get(uuid) === undefined ? this.#halves.get(uuid) : uuid;
  }

  mark(name: string): number | undefined {
    return this.#marks.get(name);
  }

  setMark(name: string, value: number): void {
    this.#marks.set(name, value);
    this.#journal?.add(markLine(name, value));
  }

  async close(): Promise<void> {
    await this.#journal?.close();
    this.#release?.();
  }
}

/** A whole state file, in parts. */
function* linesOf(table: SentTable, marks: ReadonlyMap<string, number>, reports: Reports): Generator<string, void, undefined> {
  let part = header, count = 0;
  for (const [uuid, sent] of table.entries()) {
    part += sentLine(uuid, sent);
    if (++count % batch !== 0) continue;
    yield part;
    part = "";
  }
  for (const [name, value] of marks) part += markLine(name, value);
  yield part + reports.all().join("");
}
