import { isIP } from "node:net";
import { canonical } from "./canonical.ts";

/** An object path of STIX 2.1 and its value, in canonical spelling. */
export interface Observable {
  readonly path: string;
  readonly value: string;
}

/** A line of a log, as the tool wrote it. */
export type LogLine = Readonly<Record<string, unknown>>;

const userAgent = "network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'";

/** What can be looked for in a line of Zeek's conn, dns, http, ssl or smtp log. Field names as in their Zeek records. */
export function observablesOfZeek(line: LogLine): Observable[] {
  return known([
    ...["id.orig_h", "id.resp_h"].flatMap((field) => address(line[field])),
    ...["orig_l2_addr", "resp_l2_addr"].map((field) => ({ path: "mac-addr:value", value: line[field] })),
    ...[line["query"], line["host"], line["server_name"], ...list(line["answers"])].flatMap(host),
    url(line["host"], line["uri"]),
    { path: userAgent, value: line["user_agent"] },
    ...[line["mailfrom"], line["from"], ...list(line["rcptto"]), ...list(line["to"])].flatMap(mailbox),
  ]);
}

/** What can be looked for in a line of Suricata's eve.json: dns, http, tls, flow and fileinfo events. */
export function observablesOfSuricata(line: LogLine): Observable[] {
  const { dns, http, tls, fileinfo } = Object.fromEntries(["dns", "http", "tls", "fileinfo"].map((part) => [part, section(line[part])]));
  return known([
    ...["src_ip", "dest_ip"].flatMap((field) => address(line[field])),
    ...[dns?.["rrname"], http?.["hostname"], tls?.["sni"]].flatMap(host),
    url(http?.["hostname"], http?.["url"]),
    { path: userAgent, value: http?.["http_user_agent"] },
    { path: "x509-certificate:hashes.'SHA-1'", value: tls?.["fingerprint"] },
    { path: "file:hashes.MD5", value: fileinfo?.["md5"] },
    { path: "file:hashes.'SHA-1'", value: fileinfo?.["sha1"] },
    { path: "file:hashes.'SHA-256'", value: fileinfo?.["sha256"] },
  ]);
}

interface Candidate {
  readonly path: string;
  readonly value: unknown;
}

/** Those that have a value, each once. */
function known(candidates: readonly Candidate[]): Observable[] {
  const found = new Map<string, Observable>();
  for (const { path, value } of candidates) {
    if (typeof value !== "string" || value === "" || value === "-") continue;
    const observable = { path, value: canonical(path, value) };
    found.set(`${path} ${observable.value}`, observable);
  }
  return [...found.values()];
}

function address(value: unknown): Candidate[] {
  const family = typeof value === "string" ? isIP(value) : 0;
  return family === 0 ? [] : [{ path: `ipv${family}-addr:value`, value }];
}

/** What stands where a name is expected is sometimes an address. */
function host(value: unknown): Candidate[] {
  const addresses = address(value);
  return addresses.length > 0 ? addresses : [{ path: "domain-name:value", value }];
}

/** A proxy is asked for the whole URL, a server for its path. */
function url(hostname: unknown, path: unknown): Candidate {
  if (typeof hostname !== "string" || typeof path !== "string") return { path: "url:value", value: undefined };
  return { path: "url:value", value: /^https?:\/\//.test(path) ? path : `http://${hostname}${path}` };
}

/** `Ann <ann@good.example>`, `<ann@good.example>` and `ann@good.example` are one mailbox. */
function mailbox(value: unknown): Candidate[] {
  const found = typeof value === "string" ? /[^\s<>,]+@[^\s<>,]+/.exec(value)?.[0] : undefined;
  return found === undefined ? [] : [{ path: "email-addr:value", value: found }];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function section(value: unknown): LogLine | undefined {
  return typeof value === "object" && value !== null ? (value as LogLine) : undefined;
}
