import { RestFault } from "./fault.ts";
import type { Answer, RestClient } from "./client.ts";

/** Parameters of `attributes/restSearch`; paging and format are not among them. */
export type Search = Readonly<Record<string, unknown>>;

/** What every search brings along: the tags of the event (`inherited: 1`) and what the event is. */
const always = { returnFormat: "json", includeEventTags: true, includeContext: true, includeEventUuid: true } as const;

/** Makes a request, in whatever manner: once, or until it succeeds. */
export type Asker = (call: () => Promise<Answer>) => Promise<Answer>;

interface Paging {
  /** Attributes of one page, from 2. */
  readonly limit: number;
  readonly signal: AbortSignal;
  readonly ask: Asker;
}

/**
 * Pages of attributes as MISP gives them, each row as it came. A page may be short or empty without being the last: warning lists and decay take
 * rows away after the page is cut. So it goes by `X-Result-Count`, the rows of the database (one too many where nothing was taken away), and
 * without that header by the first empty page and one more (app/Model/MispAttribute.php; MISP/MISP#9175, #9422).
 * @throws RestFault
 */
export async function* searchAttributes(client: RestClient, search: Search, { limit, signal, ask }: Paging): AsyncGenerator<readonly unknown[], void, undefined> {
  let empty = 0, first = "";
  for (let page = 1; ; page++) {
    const question = { ...search, ...always, limit, page, order: "Attribute.id asc" };
    const answer = await ask(() => client.post("/attributes/restSearch", question, signal));
    const rows = rowsOf(answer.body, "Attribute");
    const head = identityOf(rows[0]);
    if (head !== "" && head === first) throw new RestFault("wrong", "MISP gives the same page of a search again and again", { hint: "a proxy may answer in its place" });
    first = head;
    if (rows.length > 0) yield rows;
    empty = rows.length === 0 ? empty + 1 : 0;
    const count = resultCount(answer);
    if (count === undefined ? empty === 2 : count < limit) return;
  }
}

/** Sightings from a time on, each row as it came. @param since seconds since 1970-01-01 UTC @throws RestFault */
export async function searchSightings(client: RestClient, since: number, signal: AbortSignal): Promise<readonly unknown[]> {
  const question = { returnFormat: "json", from: since, includeAttribute: true, includeEvent: true };
  return rowsOf((await client.post("/sightings/restSearch", question, signal)).body, "Sighting");
}

/** @throws RestFault when it is no answer to a search */
function rowsOf(body: unknown, name: string): readonly unknown[] {
  const response = own(body, "response") ?? body;
  const rows = own(response, name) ?? response;
  // PHP writes a list with gaps as an object.
  if (Array.isArray(rows)) return rows;
  if (typeof rows === "object" && rows !== null && Object.keys(rows).every((key) => /^\d+$/.test(key))) return Object.values(rows);
  throw new RestFault("wrong", "MISP's answer to a search is none", { hint: "is api.host the address of MISP itself?" });
}

function resultCount({ headers }: Answer): number | undefined {
  const given = headers["x-result-count"];
  return typeof given === "string" && /^\d{1,9}$/.test(given) ? Number(given) : undefined;
}

function identityOf(row: unknown): string {
  const uuid = own(row, "uuid");
  return typeof uuid === "string" ? uuid : "";
}

function own(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}
