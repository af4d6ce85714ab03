import type { App, Bus, Host } from "@threatbus/core";
import { accountOf } from "./account.ts";
import type { Account } from "./account.ts";
import { CatchUp } from "./catch-up.ts";
import { probe } from "./doctor.ts";
import { EventTags } from "./enrich/event-tags.ts";
import { Rereader } from "./enrich/rereader.ts";
import { filterOf, needsTags } from "./filter/filter.ts";
import { historyOf } from "./history.ts";
import { Intake } from "./intake.ts";
import { watchLiveness } from "./liveness.ts";
import type { ApiOptions, MispOptions } from "./options.ts";
import { heartbeatTopic, receive, splitFrame } from "./receive.ts";
import type { Surroundings } from "./receive.ts";
import { loadKafka, receiveKafka } from "./receive-kafka.ts";
import { Relayer } from "./relayer.ts";
import type { Policy } from "./relay/relay.ts";
import { Api, openClient } from "./rest/api.ts";
import { searchAttributes } from "./rest/search.ts";
import type { Search } from "./rest/search.ts";
import { Reporter } from "./sightings/reporter.ts";
import { openState } from "./state/state.ts";
import type { SentStore } from "./state/state.ts";

/** One MISP: listens to its feed, asks its API for what the feed does not tell, and reports sightings to it. */
export function createMisp(options: MispOptions, host: Host): App {
  const { logger, clock, metrics } = host;
  const ended = new AbortController();
  const surroundings: Surroundings = { logger, clock, signal: AbortSignal.any([host.signal, ended.signal]) };
  const base = options.api?.host.replace(/\/+$/, "");
  const policy: Policy = { passes: filterOf(options), mapping: { ...options, base }, published_only: options.published_only };
  const running: Promise<void>[] = [];
  let store: SentStore | undefined, api: Api | undefined, reporter: Reporter | undefined;

  return {
    async start(bus) {
      // What is missing is told before anything is opened.
      const listen = await feed();
      if (options.api !== undefined) api = new Api(await openClient(options.api, clock), host);
      store = await openState(options.state, surroundings);
      announce(store);
      await run(bus, store, listen);
    },
    probe: (signal) => probe(options, clock, signal),
    ...(options.api !== undefined && { snapshot: (request, signal) => history(options.api as ApiOptions, request, signal) }),
    async stop() {
      await reporter?.close();
      ended.abort();
      api?.client.close();
      await Promise.all(running);
      await store?.close();
    },
  };

  /** Loads what the feed needs. @throws ThreatbusError that says what to install */
  async function feed(): Promise<((intake: Intake, account: Account, onBack: () => void) => Promise<void>) | undefined> {
    const { zmq, kafka } = options;
    if (kafka !== undefined) {
      const library = await loadKafka();
      return (intake) => receiveKafka(library, kafka, surroundings, (value) => intake.take(value));
    }
    if (zmq === undefined) return undefined;
    return async (intake, account, onBack) => {
      const liveness = watchLiveness(zmq.topics, surroundings);
      const topics: ReadonlySet<string> = new Set(zmq.topics);
      const failed = (thrown: unknown): void => logger.error("a message of MISP's feed was not understood", { error: thrown });
      const take = (frame: Uint8Array): Promise<unknown> | undefined => {
        const cut = splitFrame(frame);
        liveness.heard(cut?.topic);
        if (cut !== undefined && topics.has(cut.topic)) {
          const taken = intake.take(cut.payload).catch(failed);
          return intake.crowded ? taken : undefined;
        }
        account.received("feed");
        if (cut === undefined) account.refused("frame");
        else account.skipped(cut.topic === heartbeatTopic ? "heartbeat" : "topic");
        return undefined;
      };
      let missed = false;
      await receive(zmq, surroundings, take, (state) => {
        if (state !== "connected") missed = true;
        else if (missed) onBack();
      });
      await intake.settled();
    };
  }

  async function run(bus: Bus, remembered: SentStore, listen: Awaited<ReturnType<typeof feed>>): Promise<void> {
    const account = accountOf(metrics);
    const relayer = new Relayer({ bus, store: remembered, policy, account, logger });
    const { signal } = surroundings;
    let catchUp: CatchUp | undefined;
    const tags = new EventTags((options.api?.cache_ttl ?? 0) * 1_000, clock);
    const rereader = new Rereader({ clock, signal, read: async (search) => void (await read(search)), onFull: () => metrics.counter("misp_rereads_dropped").add() });
    const intake = new Intake({
      relayer, store: remembered, account, logger,
      enrichment: api && { tags, rereader, hold: needsTags(options), profile: options.profile },
      isOwn: ({ source }) => source.startsWith(options.sightings.source),
    });
    if (api !== undefined && options.api !== undefined) {
      metrics.gauge("misp_rereads_waiting", () => rereader.waiting);
      catchUp = new CatchUp({ api, store: remembered, logger, clock, signal, interval: options.api.poll_interval * 1_000, read });
      if (options.sightings.report) await report(bus, api, remembered);
      go(catchUp.run(), "what changed in MISP");
      go(rereader.run(), "tags of MISP");
    }
    if (listen !== undefined) go(listen(intake, account, () => catchUp?.wake()), "MISP's feed");

    /** Searches and relays what is found. Resolves with whether all of it is on the bus. */
    async function read(search: Search): Promise<boolean> {
      if (api === undefined || options.api === undefined) return false;
      const { client } = api;
      let whole = true;
      const pages = searchAttributes(client, search, { limit: options.api.page_size, signal, ask: (call) => (api as Api).ask(call, signal) });
      for await (const rows of pages) for (const row of rows) if (!(await intake.takeRow(row))) whole = false;
      return whole;
    }
  }

  async function report(bus: Bus, to: Api, known: SentStore): Promise<void> {
    const reports = (reporter = new Reporter({ api: to, host, known, source: options.sightings.source }));
    reports.start();
    await bus.subscribe(["stix2/sighting", "stix2/opinion"], (message) => reports.take(message), { name: `${host.name}/sightings` });
  }

  async function* history({ page_size }: ApiOptions, request: Parameters<typeof historyOf>[0], signal: AbortSignal): ReturnType<typeof historyOf> {
    if (api !== undefined) yield* historyOf(request, signal, { api, policy, filter: options.filter, limit: page_size });
  }

  /** Work until the end of this app; that it ends before is a fault, and no reason to take the bus down. */
  function go(work: Promise<void>, what: string): void {
    running.push(work.catch((thrown: unknown) => logger.error(`${what} is no longer read`, { error: thrown })));
  }

  function announce(remembered: SentStore): void {
    metrics.gauge("misp_attributes_remembered", () => remembered.size);
    metrics.gauge("misp_memory_bytes", () => remembered.memoryBytes);
    metrics.gauge("misp_disk_bytes", () => remembered.diskBytes);
    if (options.api?.ssl === false) logger.warn("MISP's certificate is not checked: whoever is between can read the key", { hint: "set api.ssl: true, and api.ca_file for an authority of your own" });
    if (options.api?.host.startsWith("http:") === true) logger.warn("MISP's API is asked without encryption: whoever is between can read the key", { hint: "use https:// in api.host" });
    if (options.api !== undefined) return;
    if (needsTags(options)) logger.warn("the filter looks at tags, but without api the tags of events and of new attributes are not seen", { hint: "configure api" });
    const whole = options.kafka !== undefined || options.zmq?.topics.includes("misp_json") === true;
    if (options.published_only && !whole) logger.warn("published_only without misp_json or api: nothing tells that an event is published, so nothing is sent", { hint: "add misp_json to zmq.topics, or configure api" });
  }
}
