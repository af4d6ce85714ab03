import type { SnapshotRequest } from "@threatbus/core";
import type { StixObject } from "stix2-ts-types";
import { decode, decodeRow } from "./decode/decode.ts";
import type { FilterOptions } from "./filter/options.ts";
import { indicatorsOf } from "./map/indicator.ts";
import { sightingOf } from "./map/sighting.ts";
import type { Policy } from "./relay/relay.ts";
import type { Api } from "./rest/api.ts";
import { searchAttributes, searchSightings } from "./rest/search.ts";
import type { Search } from "./rest/search.ts";

interface Setup {
  readonly api: Api;
  readonly policy: Policy;
  readonly filter: FilterOptions["filter"];
  /** Attributes of one page. */
  readonly limit: number;
}

/** Tries of one request; whoever asked for a snapshot waits. */
const attempts = 3;

/**
 * What MISP knows of a time span: attributes changed or published in it, as indicators; or sightings.
 * @throws RestFault
 */
export async function* historyOf({ snapshot_type, snapshot }: SnapshotRequest, signal: AbortSignal, setup: Setup): AsyncGenerator<StixObject, void, undefined> {
  const since = Math.max(0, setup.api.client.time - snapshot);
  if (snapshot_type === 2) yield* sightingsSince(since, signal, setup);
  else yield* indicatorsSince(since, signal, setup);
}

async function* indicatorsSince(since: number, signal: AbortSignal, { api, policy, filter, limit }: Setup): AsyncGenerator<StixObject, void, undefined> {
  const seen = new Set<string>();
  const narrow: Search = { to_ids: 1, ...narrowed(filter), ...(policy.published_only && { published: 1 }) };
  for (const parameter of ["timestamp", "publish_timestamp"]) {
    const pages = searchAttributes(api.client, { ...narrow, [parameter]: since }, { limit, signal, ask: (call) => api.ask(call, signal, attempts) });
    for await (const rows of pages) {
      for (const row of rows) {
        if (signal.aborted) return;
        const decoded = decodeRow(row);
        if (!decoded.ok || seen.has(decoded.message.attribute.uuid)) continue;
        const { attribute, event } = decoded.message;
        seen.add(attribute.uuid);
        if (!attribute.toIds || attribute.deleted || !policy.passes(attribute, event) || (policy.published_only && event?.published !== true)) continue;
        const mapped = indicatorsOf(attribute, event, policy.mapping);
        if (typeof mapped !== "string") yield* mapped.indicators;
      }
    }
  }
}

async function* sightingsSince(since: number, signal: AbortSignal, { api }: Setup): AsyncGenerator<StixObject, void, undefined> {
  for (const row of await api.ask(() => searchSightings(api.client, since, signal), signal, attempts)) {
    if (signal.aborted) return;
    const decoded = decode(Buffer.from(JSON.stringify(row)));
    const made = decoded.ok && decoded.message.kind === "sighting" ? sightingOf(decoded.message) : undefined;
    if (made !== undefined) yield made;
  }
}

/** What MISP itself can leave out: types and organisations, if every entry of the filter names some. Its tags compare otherwise. */
function narrowed(filter: FilterOptions["filter"]): Search {
  const all = <Value>(listOf: (entry: FilterOptions["filter"][number]) => readonly Value[]): Value[] | undefined => {
    const lists = filter.map(listOf);
    return lists.length === 0 || lists.some((list) => list.length === 0) ? undefined : [...new Set(lists.flat())];
  };
  const types = all(({ types: own }) => own);
  const orgs = all(({ orgs: own }) => own.map(String));
  return { ...(types !== undefined && { type: types }), ...(orgs !== undefined && { org: orgs }) };
}
