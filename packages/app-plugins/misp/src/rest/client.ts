import { Agent as HttpAgent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { maxPayloadBytes, parseJson, reasonOf } from "@threatbus/core";
import type { Clock } from "@threatbus/core";
import { RestFault, networkFault } from "./fault.ts";

export interface RestSettings {
  /** Of MISP's web interface, e.g. `https://misp.example` or `https://soc.example/misp`. */
  readonly url: string;
  readonly key: string;
  /** The header that carries the key. */
  readonly keyHeader: "Authorization" | "X-MISP-AUTH";
  /** Whether MISP's certificate is checked. */
  readonly verify: boolean;
  /** PEM, in place of the authorities Node knows. */
  readonly ca?: Buffer | undefined;
  /** Milliseconds without a byte after which a request is given up. */
  readonly timeout: number;
}

export interface Answer {
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
}

/** Requests of one MISP at a time; more wait for a connection. */
const connections = 4;
/** Milliseconds that MISP's rate limit lasts at most (app/Controller/Component/RateLimitComponent.php). */
const rateLimitWindow = 900_000;
/** Answers that trickle in may take this many times the limit for silence. */
const trickle = 10;

/**
 * MISP's REST API, one request at a time: no retries, no redirects, answers of 16 MiB at most. Whatever is wrong is thrown as a {@link RestFault}
 * that says it in words.
 */
export class RestClient {
  readonly #settings: RestSettings;
  readonly #clock: Clock;
  readonly #base: URL;
  readonly #agent: HttpAgent | HttpsAgent;
  readonly #closing = new AbortController();
  /** When the rate limit is over, in milliseconds since 1970. */
  #limitedUntil = 0;
  /** Milliseconds that MISP's clock is ahead of ours. */
  #ahead = 0;

  constructor(settings: RestSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#base = new URL(settings.url);
    const common = { keepAlive: true, maxSockets: connections, timeout: settings.timeout };
    this.#agent = this.#base.protocol === "https:"
      ? new HttpsAgent({ ...common, rejectUnauthorized: settings.verify, ...(settings.ca !== undefined && { ca: settings.ca }) })
      : new HttpAgent(common);
  }

  /** For people: without path and query. */
  get origin(): string {
    return this.#base.origin;
  }

  /** By MISP's clock, as its last answer had it: seconds since 1970-01-01 UTC. */
  get time(): number {
    return Math.floor((this.#clock.now() + this.#ahead) / 1_000);
  }

  get(path: string, signal?: AbortSignal): Promise<Answer> {
    return this.#ask("GET", path, undefined, signal);
  }

  /** @param body what becomes the JSON of the request */
  post(path: string, body: unknown, signal?: AbortSignal): Promise<Answer> {
    return this.#ask("POST", path, JSON.stringify(body), signal);
  }

  /** Ends what is under way. Twice is harmless. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  async #ask(method: string, path: string, body: string | undefined, asker: AbortSignal | undefined): Promise<Answer> {
    const limited = path.endsWith("/restSearch");
    const wait = this.#limitedUntil - this.#clock.now();
    if (limited && wait > 0) throw new RestFault("limited", "MISP's rate limit is reached", { status: 429, retryAfter: wait });
    const signal = asker === undefined ? this.#closing.signal : AbortSignal.any([asker, this.#closing.signal]);
    try {
      const answer = await this.#send(method, path, body, signal);
      const date = Date.parse(answer.headers.date ?? "");
      if (!Number.isNaN(date)) this.#ahead = date - this.#clock.now();
      return { headers: answer.headers, body: this.#read(answer.response, await this.#collect(answer.response)) };
    } catch (thrown) {
      if (signal.aborted) throw new RestFault("closed", "the request was given up");
      const fault = networkFault(thrown, this.origin);
      if (fault.kind === "limited" && limited) this.#limitedUntil = this.#clock.now() + (fault.retryAfter ?? 0);
      throw fault;
    }
  }

  #send(method: string, path: string, body: string | undefined, signal: AbortSignal): Promise<{ response: IncomingMessage; headers: IncomingHttpHeaders }> {
    const { key, keyHeader, timeout } = this.#settings;
    const url = new URL(this.#base);
    url.pathname = `${url.pathname.replace(/\/+$/, "")}${path}`;
    const headers = {
      [keyHeader]: key,
      // Without this one MISP takes no notice of the body and returns everything (MISP/MISP#8841).
      "Content-Type": "application/json",
      Accept: "application/json",
      "Accept-Encoding": "identity",
      "User-Agent": "threatbus",
      ...(body !== undefined && { "Content-Length": Buffer.byteLength(body) }),
    };
    return new Promise((resolve, reject) => {
      const send = url.protocol === "https:" ? httpsRequest : httpRequest;
      const request = send(url, { method, headers, agent: this.#agent, timeout, signal, maxHeaderSize: 65_536 }, (response) => resolve({ response, headers: response.headers }));
      request.on("timeout", () => request.destroy(new RestFault("away", `no answer from ${this.origin} within ${timeout / 1_000} s`, { hint: "is MISP overloaded? api.timeout says how long to wait" })));
      request.on("error", reject);
      request.end(body);
    });
  }

  async #collect(response: IncomingMessage): Promise<Buffer> {
    const { timeout } = this.#settings;
    const chunks: Buffer[] = [];
    const since = performance.now();
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxPayloadBytes) {
        response.destroy();
        throw new RestFault("wrong", `an answer of MISP is larger than ${maxPayloadBytes} bytes`, { hint: "lower api.page_size" });
      }
      if (performance.now() - since > trickle * timeout) {
        response.destroy();
        throw new RestFault("away", `an answer of MISP is not whole after ${(trickle * timeout) / 1_000} s`, { hint: "lower api.page_size" });
      }
      chunks.push(chunk);
    }
    if (!response.complete) throw new RestFault("away", "MISP's answer broke off");
    return Buffer.concat(chunks, size);
  }

  #read({ statusCode: status = 0, headers }: IncomingMessage, bytes: Buffer): unknown {
    if (status >= 300 && status < 400) {
      const to = this.#quote(headers.location ?? "");
      throw new RestFault("wrong", `${this.origin} redirects to ${to}`, { status, hint: to.includes("/users/login") ? "MISP wants a login: check api.key and api.key_header" : "write that address into api.host" });
    }
    const json = parsed(bytes);
    if (status === 200 && json !== undefined) return json;
    const said = this.#quote(messageOf(json));
    if (status === 200) {
      const html = /html/i.test(headers["content-type"] ?? "") || /^\s*</.test(bytes.subarray(0, 100).toString("latin1"));
      throw new RestFault("wrong", `${this.origin} answers with ${html ? "a web page" : "something that is no JSON"}`, { status, hint: "is api.host the address of MISP itself, and not of a proxy or a login page?" });
    }
    throw statusFault(status, said, headers);
  }

  /** What a server said, fit for a log: short, and without the key. */
  #quote(said: string): string {
    const { key } = this.#settings;
    return (key === "" ? said : said.replaceAll(key, "***")).replaceAll(/[\p{C}\s]+/gu, " ").slice(0, 200);
  }
}

function statusFault(status: number, said: string, headers: IncomingHttpHeaders): RestFault {
  const words = `MISP answers ${status}${said === "" ? "" : `: ${said}`}`;
  if (status === 429) return new RestFault("limited", words, { status, retryAfter: resetOf(headers) });
  if (status >= 500) return new RestFault("away", words, { status });
  if (status === 401 || (status === 403 && /authentication failed|api ?key|disabled|expired/i.test(said))) return new RestFault("denied", words, { status, hint: "check api.key: is it whole, still valid, of a user who is not disabled, and allowed from this address?" });
  if (status === 403) return new RestFault("denied", words, { status, hint: "the role of the key's user in MISP lacks a right" });
  if (status === 405) return new RestFault("refused", words, { status, hint: "may the role of the key's user search through the API? A rate limit of 0 forbids it" });
  return new RestFault("refused", words, { status, ...(status === 404 && { hint: "is api.host the address of MISP itself?" }) });
}

/** Milliseconds; MISP sends seconds in a header of its own, proxies `Retry-After`. At most the window. */
function resetOf(headers: IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers["x-rate-limit-reset"] ?? headers["retry-after"] ?? Number.NaN);
  return seconds >= 0 ? Math.min(seconds * 1_000, rateLimitWindow) : undefined;
}

function parsed(bytes: Buffer): unknown {
  try {
    return parseJson(bytes);
  } catch (thrown) {
    const reason = reasonOf(thrown);
    if (reason === "not JSON") return undefined;
    throw new RestFault("wrong", `MISP's answer is not usable: ${reason}`, { cause: thrown });
  }
}

/** MISP's errors: `{name, message, url}` or `{saved: false, errors, …}`. */
function messageOf(body: unknown): string {
  if (typeof body !== "object" || body === null) return "";
  const { message, name, errors } = body as { readonly message?: unknown; readonly name?: unknown; readonly errors?: unknown };
  const said = message ?? name ?? errors;
  return typeof said === "string" ? said : said === undefined ? "" : JSON.stringify(said);
}
