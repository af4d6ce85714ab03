import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Library } from "./library.ts";
import type { AttributeRow, EventRow, SightingRow } from "./library.ts";
import { searchAttributes, searchSightings } from "./search.ts";
import { addSighting, saveSightings } from "./sightings.ts";

export interface FakeMispOptions {
  /** PEM; with them it speaks HTTPS. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** What it publishes goes here: `mispFeed()`, or anything that sends a topic and its JSON. */
  readonly feed?: { send(topic: string, body: unknown): Promise<void> };
  /** Seconds since 1970-01-01 UTC. Default: the clock's. */
  readonly now?: () => number;
}

/** What was asked, with the body as JSON. */
export interface MispRequest {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage["headers"];
}

/** An answer in place of the right one. */
export interface MispTrouble {
  /** Of the requests whose path begins so. Default: all. */
  readonly path?: string;
  /** Answers. Default 1. */
  readonly times?: number;
  /** `"hang"`: none at all; `"cut"`: the connection breaks. */
  readonly status: number | "hang" | "cut";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface FakeMisp {
  readonly url: string;
  /** The API key. */
  readonly key: string;
  readonly library: Library;
  readonly requests: readonly MispRequest[];
  /** What the user of the key may do. */
  readonly rights: { sighting: boolean; sync: boolean; search: boolean };
  version: string;
  /** Whether answers to searches have `X-Result-Count`. */
  counts: boolean;
  trouble(trouble: MispTrouble): void;
  addEvent(fields?: Partial<Omit<EventRow, "tags">> & { tags?: readonly string[] }): EventRow;
  /** The message has no tags: MISP stores those that come with an attribute after it has told of it (MISP/MISP#4281). */
  add(event: EventRow, fields?: Partial<Omit<AttributeRow, "tags">> & { tags?: readonly string[] }): Promise<AttributeRow>;
  edit(uuid: string, fields: Partial<Omit<AttributeRow, "tags">> & { tags?: readonly string[] }): Promise<void>;
  /** As the web interface does, `"sanitised"` with `Security.sanitise_attribute_on_delete`, or for good. */
  remove(uuid: string, manner?: "soft" | "sanitised" | "hard"): Promise<void>;
  /** Without a word of its attributes. */
  removeEvent(event: EventRow): Promise<void>;
  tagEvent(event: EventRow, name: string): Promise<void>;
  publish(event: EventRow): Promise<void>;
  /** A sighting that somebody else adds. */
  sight(uuid: string, fields?: { source?: string; type?: number; time?: number }): Promise<SightingRow>;
  /** Ends every connection and takes no more until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
  stop(): Promise<void>;
}

const refused = { name: "Authentication failed. Please make sure you pass the API key of an API enabled user along in the Authorization header.", url: "/" };
const noRight = { name: "You do not have permission to use this functionality.", url: "/" };

/**
 * A MISP as the outside sees it: REST over real HTTP, awkward parts included (200 for failures, counts that are off by one, numbers as strings), and what it
 * would publish. It keeps to MISP 2.4.199 and 2.5.1.
 */
export async function fakeMisp({ tls, feed, now = () => Math.floor(Date.now() / 1_000) }: FakeMispOptions = {}): Promise<FakeMisp> {
  const library = new Library();
  const requests: MispRequest[] = [];
  const troubles: (MispTrouble & { left: number })[] = [];
  const rights = { sighting: true, sync: false, search: true };
  const key = "0123456789abcdefghijklmnopqrstuvwxyzABCD";
  let server: Server | undefined, port = 0;
  await up();

  const misp: FakeMisp = {
    url: `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`,
    key, library, requests, rights, up, down,
    version: "2.5.1",
    counts: true,
    trouble: (trouble) => void troubles.push({ ...trouble, left: trouble.times ?? 1 }),
    addEvent: (fields = {}) => library.addEvent(fields, now()),
    async add(event, fields = {}) {
      const row = library.addAttribute(event, fields, now());
      await tellOf("add", row, []);
      return row;
    },
    async edit(uuid, { tags, ...fields }) {
      const row = rowOf(uuid);
      Object.assign(row, { timestamp: now(), ...fields }, tags && { tags: tags.map((name) => library.tag(name)) });
      await tellOf("edit", row);
    },
    async remove(uuid, manner = "soft") {
      const row = rowOf(uuid);
      if (manner === "hard") {
        library.attributes.delete(uuid);
        return feed?.send("misp_json_attribute", { Attribute: library.attributeJson(row, []), action: "delete" });
      }
      Object.assign(row, { deleted: true, timestamp: now() }, manner === "sanitised" && { type: "comment", value: "deleted", to_ids: false });
      await tellOf("soft-delete", row);
    },
    async removeEvent(event) {
      library.events.delete(event.id);
      for (const [uuid, row] of library.attributes) if (row.event_id === event.id) library.attributes.delete(uuid);
      await feed?.send("misp_json_event", { Event: library.feedEventJson(event), action: "delete" });
    },
    async tagEvent(event, name) {
      const tag = library.tag(name);
      event.tags.push(tag);
      await feed?.send("misp_json_tag", { Tag: { ...library.tagJson(tag), event_id: String(event.id) }, action: "attached to event" });
    },
    async publish(event) {
      Object.assign(event, { published: true, publish_timestamp: now() });
      await feed?.send("misp_json", library.publishedJson(event));
    },
    async sight(uuid, { source = "", type = 0, time = now() } = {}) {
      const { saved: [row] } = addSighting(library, uuid, { type, source, timestamp: time }, now());
      if (row === undefined) throw new RangeError(`there is no attribute ${uuid}`);
      await tellOfSightings([row]);
      return row;
    },
    async stop() {
      for (const one of troubles) one.left = 0;
      await down();
    },
  };
  return misp;

  function rowOf(uuid: string): AttributeRow {
    const row = library.attributes.get(uuid);
    if (row === undefined) throw new RangeError(`there is no attribute ${uuid}`);
    return row;
  }

  async function tellOf(action: string, row: AttributeRow, tags: AttributeRow["tags"] = row.tags): Promise<void> {
    const event = library.events.get(row.event_id);
    await feed?.send("misp_json_attribute", { Attribute: library.attributeJson(row, tags), ...(event !== undefined && { Event: library.feedEventJson(event) }), action });
  }

  async function tellOfSightings(rows: readonly SightingRow[]): Promise<void> {
    for (const row of rows) await feed?.send("misp_json_sighting", { Sighting: library.sightingJson(row, { attribute: true, event: true }), action: "add" });
  }

  async function up(): Promise<void> {
    const serve = (request: IncomingMessage, response: ServerResponse): void => void answer(request, response).catch((thrown: unknown) => response.destroy(thrown as Error));
    server = tls === undefined ? createServer(serve) : createTlsServer(tls, serve);
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
  }

  async function down(): Promise<void> {
    const ending = server;
    server = undefined;
    if (ending === undefined) return;
    const closed = once(ending, "close");
    ending.close();
    ending.closeAllConnections();
    await closed;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "", headers } = request;
    const path = url.split("?")[0] ?? "";
    let text = "";
    for await (const chunk of request.setEncoding("utf8")) text += String(chunk);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    requests.push({ method, path, body, headers });
    const trouble = troubles.find(({ left, path: begin = "" }) => left > 0 && path.startsWith(begin));
    if (trouble !== undefined) return disturb(trouble, response);
    const [status, answered, more = {}] = (headers["authorization"] ?? headers["x-misp-auth"]) === key ? await act(method, path, body, headers) : [403, { ...refused, message: refused.name }];
    response.writeHead(status, { "Content-Type": "application/json", ...more }).end(JSON.stringify(answered));
  }

  async function disturb(trouble: MispTrouble & { left: number }, response: ServerResponse): Promise<void> {
    trouble.left--;
    if (trouble.status === "cut") return void response.destroy();
    if (trouble.status !== "hang") return void response.writeHead(trouble.status, trouble.headers).end(trouble.body ?? "");
    while (server !== undefined && !response.destroyed) await sleep(5);
  }

  async function act(method: string, path: string, body: unknown, headers: IncomingMessage["headers"]): Promise<[number, unknown, Readonly<Record<string, string>>?]> {
    const [, controller, action, target] = path.split("/");
    const json = /^application\/json/.test(headers["content-type"] ?? "");
    // Without the type of JSON the body counts for nothing (MISP/MISP#8841).
    const asked = json && typeof body === "object" && body !== null && !Array.isArray(body) ? (body as Readonly<Record<string, unknown>>) : {};
    switch (`${method} ${controller}/${action}`) {
      case "GET servers/getVersion":
        return [200, { version: misp.version, pymisp_recommended_version: "2.5.1", perm_sync: rights.sync, perm_sighting: rights.sighting, request_encoding: ["gzip", "br"], filter_sightings: true }];
      case "POST attributes/restSearch": {
        if (!rights.search) return [405, { name: "API searches are not allowed for this user role.", message: "API searches are not allowed for this user role.", url: path }];
        const { body: found, headers: counts } = searchAttributes(library, asked, now());
        return [200, found, misp.counts ? counts : {}];
      }
      case "POST sightings/restSearch":
        return [200, searchSightings(library, asked).body];
      case "POST sightings/add": {
        if (!rights.sighting) return [403, { ...noRight, message: noRight.name }];
        const { body: said, saved } = addSighting(library, target, asked, now());
        await tellOfSightings(saved);
        return [200, said];
      }
      case "POST sightings/bulkSaveSightings": {
        if (!rights.sighting && !rights.sync) return [403, { ...noRight, message: noRight.name }];
        const done = saveSightings(library, target, body);
        if (done === undefined) return [404, { name: "Invalid event", message: "Invalid event", url: path }];
        await tellOfSightings(done.saved);
        return [200, done.body];
      }
      default:
        return [404, { name: "Not Found", message: "Not Found", url: path }];
    }
  }
}
