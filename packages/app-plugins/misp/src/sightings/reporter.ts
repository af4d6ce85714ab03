import type { Host, Message } from "@threatbus/core";
import type { Api } from "../rest/api.ts";
import type { Answer } from "../rest/client.ts";
import { RestFault } from "../rest/fault.ts";
import type { SentStore } from "../state/state.ts";
import { reportsOf } from "./report.ts";
import type { NoReport, Report } from "./report.ts";

/** `"unknown"`: MISP has no such attribute. `"forbidden"`: we may not. `"refused"`: MISP said no. `"lost"`: it waited for MISP until the end, and nothing keeps it. */
type Outcome = NoReport | "reported" | "unknown" | "forbidden" | "refused" | "lost";

interface Setup {
  readonly api: Api;
  readonly host: Pick<Host, "logger" | "clock" | "metrics">;
  /** What was sent: it knows the events of attributes, and the attributes of split ones' halves. Keeps what waits, too. */
  readonly known: Pick<SentStore, "get" | "attributeOf" | "reports" | "lasting">;
  /** How a source begins. */
  readonly source: string;
}

/** Reports under way to MISP; more wait in the subscription's queue, which is bounded by the bus. */
const most = 10_000;
/** Reports of one request. */
const batch = 100;
/** Attributes that MISP does not have: indicators of others on the bus. They are not asked for again, the longest known first forgotten. */
const mostUnknown = 10_000;
/** Milliseconds without a request once MISP has said that we may not. */
const ban = 300_000;
/** Milliseconds the last reports may take. */
const lastReports = 2_000;

/** Reports sightings to MISP, many at once where it can, and holds them while MISP is away. */
export class Reporter {
  readonly #setup: Setup;
  /** In the order they came, those of the process before first. */
  readonly #waiting: Report[];
  readonly #unknown = new Set<string>();
  readonly #ending = new AbortController();
  #running: Promise<void> | undefined;
  #announceRoom: (() => void) | undefined;
  #mayBulk = true;
  #bannedUntil = 0;

  constructor(setup: Setup) {
    this.#setup = setup;
    this.#waiting = [...setup.known.reports.values()];
    setup.host.metrics.gauge("misp_sightings_waiting", () => this.#waiting.length);
  }

  /** Sends what waits, if anything does. */
  start(): void {
    if (this.#running !== undefined || this.#waiting.length === 0 || this.#ending.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // What came while it ended.
      this.start();
    });
  }

  /** Takes a sighting or opinion from the bus; waits while too many are under way. */
  async take(message: Message): Promise<void> {
    const reports = reportsOf(message, this.#setup.source);
    if (typeof reports === "string") return this.#count(reports);
    for (const made of reports) {
      const report = { ...made, attribute: this.#setup.known.attributeOf(made.attribute) ?? made.attribute };
      if (this.#unknown.has(report.attribute)) this.#count("unknown");
      else if (this.#banned) this.#count("forbidden");
      else {
        while (this.#waiting.length >= most && !this.#ending.signal.aborted) await new Promise<void>((resolve) => (this.#announceRoom = resolve));
        this.#waiting.push(report);
        this.#setup.known.reports.add(report);
        this.start();
      }
    }
  }

  /** Sends what waits, as far as MISP answers soon; the rest is lost unless the state lasts. Twice is harmless. */
  async close(): Promise<void> {
    const { clock } = this.#setup.host;
    if (this.#running !== undefined) await Promise.race([this.#running, clock.sleep(lastReports, this.#ending.signal)]);
    this.#ending.abort();
    this.#announceRoom?.();
    await this.#running;
    if (!this.#setup.known.lasting) this.#count("lost", this.#waiting.splice(0).length);
  }

  get #banned(): boolean {
    const { api, host } = this.#setup;
    return api.version?.maySight === false || host.clock.now() < this.#bannedUntil;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0 && !this.#ending.signal.aborted) {
      const next = this.#next();
      const outcome = this.#banned ? "forbidden" : await this.#send(next);
      if (outcome === "given up") return;
      if (outcome === "one by one") continue;
      this.#count(outcome, next.length);
      const sent = new Set(next);
      for (const report of next) this.#setup.known.reports.delete(report);
      this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((report) => !sent.has(report)));
      this.#announceRoom?.();
    }
  }

  /** The oldest, and those for attributes of the same event. */
  #next(): readonly Report[] {
    const [oldest] = this.#waiting;
    const event = oldest && this.#eventOf(oldest);
    if (oldest === undefined || event === undefined) return this.#waiting.slice(0, 1);
    return this.#waiting.filter((report) => this.#eventOf(report) === event).slice(0, batch);
  }

  /** Known where MISP can take many at once. */
  #eventOf({ attribute }: Report): string | undefined {
    const event = this.#mayBulk ? this.#setup.known.get(attribute)?.eventId : undefined;
    return event === "" ? undefined : event;
  }

  async #send(reports: readonly Report[]): Promise<Outcome | "given up" | "one by one"> {
    const [first] = reports as readonly [Report];
    const event = this.#eventOf(first);
    try {
      return event === undefined ? await this.#add(first) : await this.#save(event, reports);
    } catch (thrown) {
      if (!(thrown instanceof RestFault)) throw thrown;
      if (thrown.kind === "closed" || thrown.passes) return "given up";
      if (event !== undefined && thrown.status !== undefined) {
        this.#mayBulk = false;
        this.#setup.host.logger.info("MISP takes no sightings in batches from this user; they are reported one by one", { reason: thrown.message });
        return "one by one";
      }
      if (thrown.kind !== "denied") return "refused";
      this.#bannedUntil = this.#setup.host.clock.now() + ban;
      return "forbidden";
    }
  }

  /** Keeps the sightings' UUIDs: what is sent again is not there twice. */
  async #save(event: string, reports: readonly Report[]): Promise<Outcome> {
    const rows = reports.map(({ uuid, attribute, type, source, time }) => ({ uuid, attribute_uuid: attribute, date_sighting: time, type, source }));
    const { body } = await this.#post(`/sightings/bulkSaveSightings/${encodeURIComponent(event)}`, rows);
    if ((Object(body) as { readonly saved?: unknown }).saved !== true) throw new RestFault("refused", "MISP did not save a batch of sightings", { status: 200 });
    return "reported";
  }

  async #add({ attribute, type, source, time }: Report): Promise<Outcome> {
    const { body } = await this.#post(`/sightings/add/${attribute}`, { type, source, timestamp: time });
    const { Sighting: saved, message } = Object(body) as { readonly Sighting?: unknown; readonly message?: unknown };
    const words = typeof message === "string" ? message : "";
    if (saved !== undefined || /^(?:Sighting added|\d+ sightings? successf)/i.test(words)) return "reported";
    if (!words.includes("No valid attributes")) {
      this.#setup.host.logger.warn("MISP did not take a sighting", { attribute, reason: words.slice(0, 200) });
      return "refused";
    }
    this.#unknown.add(attribute);
    if (this.#unknown.size > mostUnknown) this.#unknown.delete(this.#unknown.values().next().value ?? "");
    return "unknown";
  }

  #post(path: string, body: unknown): Promise<Answer> {
    const { api } = this.#setup;
    return api.ask(() => api.client.post(path, body, this.#ending.signal), this.#ending.signal);
  }

  #count(outcome: Outcome, count = 1): void {
    if (count > 0) this.#setup.host.metrics.counter("misp_sightings", { outcome }).add(count);
  }
}
