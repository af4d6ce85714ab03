/** What MISP's REST API says, and what is made of it: over real HTTP and HTTPS. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@threatbus/core";
import { certificates } from "@threatbus/services";
import { fakeMisp, manualClock } from "@threatbus/testkit";
import type { FakeMisp, FakeMispOptions } from "@threatbus/testkit";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { RestClient } from "../src/rest/client.ts";
import type { RestSettings } from "../src/rest/client.ts";
import { RestFault } from "../src/rest/fault.ts";
import { persist } from "../src/rest/retry.ts";
import { searchAttributes } from "../src/rest/search.ts";
import { askVersion } from "../src/rest/version.ts";
import { scaled } from "./sample.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const signal = new AbortController().signal;
const once = { signal, ask: <T>(call: () => Promise<T>): Promise<T> => call() };

async function started(options?: FakeMispOptions): Promise<FakeMisp> {
  const misp = await fakeMisp(options);
  ends.push(() => misp.stop());
  return misp;
}

function clientOf(misp: Pick<FakeMisp, "url" | "key">, settings: Partial<RestSettings> = {}, clock = systemClock): RestClient {
  const client = new RestClient({ url: misp.url, key: misp.key, keyHeader: "Authorization", verify: true, timeout: 5_000, ...settings }, clock);
  ends.push(() => client.close());
  return client;
}

async function faultOf(work: Promise<unknown>): Promise<RestFault> {
  const thrown: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (!(thrown instanceof RestFault)) throw new Error(`no RestFault but ${String(thrown)}`);
  return thrown;
}

async function all(pages: AsyncIterable<readonly unknown[]>): Promise<Record<string, unknown>[]> {
  const rows: unknown[] = [];
  for await (const page of pages) rows.push(...page);
  return rows as Record<string, unknown>[];
}

describe("the start-up check says in words", () => {
  test("that all is well: version, rights, the end of the key", async () => {
    const misp = await started();
    expect(await askVersion(clientOf(misp), signal)).toStrictEqual({ version: "2.5.1", maySight: true, keyExpires: undefined });
    expect(misp.requests[0]?.headers).toMatchObject({ authorization: misp.key, accept: "application/json", "content-type": "application/json" });
    misp.rights.sighting = false;
    expect(await askVersion(clientOf(misp, { keyHeader: "X-MISP-AUTH" }), signal)).toMatchObject({ maySight: false });
    expect(misp.requests[1]?.headers).toMatchObject({ "x-misp-auth": misp.key });
    misp.trouble({ status: 200, headers: { "X-Auth-Key-Expiration": "2026-12-01T00:00:00+00:00" }, body: '{"version": "2.4.120"}' });
    expect(await askVersion(clientOf(misp), signal)).toStrictEqual({ version: "2.4.120", maySight: undefined, keyExpires: "2026-12-01T00:00:00+00:00" });
  });

  test("a wrong key", async () => {
    const misp = await started();
    const fault = await faultOf(askVersion(clientOf({ ...misp, key: "wrong" }), signal));
    expect(fault).toMatchObject({ kind: "denied", status: 403, passes: false });
    expect(fault.message).toMatch(/403: Authentication failed/);
    expect(fault.hint).toMatch(/api\.key/);
  });

  test("a redirect to the login page, or to https", async () => {
    const misp = await started();
    misp.trouble({ status: 302, headers: { Location: `${misp.url}/users/login` } });
    expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "wrong", hint: expect.stringContaining("login") as string });
    misp.trouble({ status: 301, headers: { Location: "https://misp.example/servers/getVersion" } });
    const fault = await faultOf(askVersion(clientOf(misp), signal));
    expect(fault.message).toContain("redirects to https://misp.example");
    expect(misp.requests).toHaveLength(2);
  });

  test("a web page in place of JSON, with status 200 and 502", async () => {
    const misp = await started();
    misp.trouble({ status: 200, headers: { "Content-Type": "text/html" }, body: "<!doctype html><title>Login</title>" });
    expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "wrong", message: expect.stringContaining("a web page") as string });
    misp.trouble({ status: 502, headers: { "Content-Type": "text/html" }, body: "<h1>Bad Gateway</h1>" });
    expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "away", status: 502 });
  });

  test("something else that speaks JSON, no HTTP, nothing at all", async () => {
    const misp = await started();
    for (const body of ["{}", "[]", '"2.5"', "null", '{"version": 3}']) {
      misp.trouble({ status: 200, body });
      expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "wrong", message: expect.stringContaining("no MISP") as string });
    }
    const other = createServer((peer) => peer.on("error", () => undefined).resume().end("SSH-2.0-OpenSSH\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    expect(await faultOf(askVersion(clientOf({ url: `http://127.0.0.1:${port}`, key: "k" }), signal))).toMatchObject({ kind: "wrong", hint: expect.stringContaining("no HTTP") as string });
    await new Promise((resolve) => other.close(resolve));
    expect(await faultOf(askVersion(clientOf({ url: `http://127.0.0.1:${port}`, key: "k" }), signal))).toMatchObject({ kind: "away", hint: expect.stringContaining("nothing listens") as string });
  });

  test("a certificate nobody vouches for; with its authority, or unchecked, it works", async () => {
    const folder = await mkdtemp(join(tmpdir(), "misp-"));
    ends.push(() => rm(folder, { recursive: true }));
    const files = await certificates(folder);
    const misp = await started({ tls: { cert: await readFile(files.certFile), key: await readFile(files.keyFile) } });
    expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "denied", hint: expect.stringContaining("api.ca_file") as string });
    expect(misp.requests).toHaveLength(0);
    expect(await askVersion(clientOf(misp, { ca: await readFile(files.caFile) }), signal)).toMatchObject({ version: "2.5.1" });
    expect(await askVersion(clientOf(misp, { verify: false }), signal)).toMatchObject({ version: "2.5.1" });
    const plain = misp.url.replace("https:", "http:");
    expect((await faultOf(askVersion(clientOf({ ...misp, url: plain }), signal))).passes).toBe(true);
  });

  test("http where https is meant", async () => {
    const misp = await started();
    const fault = await faultOf(askVersion(clientOf({ ...misp, url: misp.url.replace("http:", "https:") }), signal));
    expect(fault).toMatchObject({ kind: "wrong", hint: expect.stringContaining("https") as string });
  });
});

describe("a request ends", () => {
  test("when MISP says nothing, breaks off, or says far too much", async () => {
    const misp = await started();
    misp.trouble({ status: "hang" });
    expect(await faultOf(askVersion(clientOf(misp, { timeout: 50 }), signal))).toMatchObject({ kind: "away", hint: expect.stringContaining("api.timeout") as string });
    misp.trouble({ status: "cut" });
    expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "away" });
    misp.trouble({ status: 200, headers: { "Content-Length": "1000" }, body: "{" });
    const short = askVersion(clientOf(misp, { timeout: 200 }), signal);
    expect(await faultOf(short)).toMatchObject({ kind: "away" });
    misp.trouble({ status: 200, body: `"${"x".repeat(17 * 1024 * 1024)}"` });
    expect(await faultOf(askVersion(clientOf(misp), signal))).toMatchObject({ kind: "wrong", hint: expect.stringContaining("api.page_size") as string });
  });

  test("when its asker or the client does", async () => {
    const misp = await started();
    misp.trouble({ status: "hang", times: 2 });
    const asker = new AbortController();
    const given = faultOf(askVersion(clientOf(misp), asker.signal));
    await expect.poll(() => misp.requests.length).toBe(1);
    asker.abort();
    expect(await given).toMatchObject({ kind: "closed" });
    const client = clientOf(misp);
    const closed = faultOf(askVersion(client, signal));
    await expect.poll(() => misp.requests.length).toBe(2);
    client.close();
    expect(await closed).toMatchObject({ kind: "closed" });
  });
});

test("the key is in no fault, whatever the server sends back", async () => {
  const misp = await started();
  const key = "SECRET-KEY-0123456789";
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(200, 301, 400, 403, 404, 429, 500), fc.string(), async (status, text) => {
      misp.trouble({ status, headers: { Location: `https://x/${key}` }, body: JSON.stringify({ message: `${text}${key}${text}`, name: key }) });
      const fault = await faultOf(askVersion(clientOf({ ...misp, key }), signal));
      expect(`${fault.message} ${fault.hint ?? ""}`).not.toContain(key);
      expect(fault.message.length).toBeLessThan(400);
    }),
    { numRuns: scaled(30) },
  );
});

describe("waiting for MISP", () => {
  test("429 names the time in X-Rate-Limit-Reset: nothing is asked before", async () => {
    const misp = await started();
    const clock = manualClock();
    const client = clientOf(misp, {}, clock);
    misp.trouble({ path: "/attributes", status: 429, headers: { "X-Rate-Limit-Limit": "100", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": "600" }, body: '{"message": "Rate limit exceeded."}' });
    const found = all(searchAttributes(client, {}, { signal, limit: 10, ask: (call) => persist(call, { clock, signal }) }));
    await expect.poll(() => clock.sleeping).toBe(1);
    expect(await faultOf(client.post("/attributes/restSearch", {}))).toMatchObject({ kind: "limited", retryAfter: 600_000 });
    await clock.advance(599_000);
    expect(misp.requests).toHaveLength(1);
    await clock.advance(1_000);
    expect(await found).toStrictEqual([]);
    expect(misp.requests).toHaveLength(2);
  });

  test("429 without a time, and 5xx: longer and longer; others not again", async () => {
    const misp = await started();
    const clock = manualClock();
    const client = clientOf(misp, {}, clock);
    misp.trouble({ status: 429, body: "{}" });
    misp.trouble({ status: 503, times: 2 });
    const told: string[] = [];
    const asked = persist(() => askVersion(client, signal), { clock, signal, onFault: ({ kind }) => told.push(kind) });
    for (let n = 1; n <= 3; n++) {
      await expect.poll(() => [told.length, clock.sleeping]).toStrictEqual([n, 1]);
      await clock.advance(500 * 2 ** n);
    }
    expect(await asked).toMatchObject({ version: "2.5.1" });
    expect(told).toStrictEqual(["limited", "away", "away"]);
    misp.trouble({ status: 404 });
    expect(await faultOf(persist(() => askVersion(client, signal), { clock, signal }))).toMatchObject({ kind: "refused" });
    expect(misp.requests).toHaveLength(5);
  });

  test("as often as allowed, and no longer than wanted", async () => {
    const misp = await started();
    const client = clientOf(misp);
    misp.trouble({ status: 500, times: 3 });
    const clock = manualClock();
    const twice = faultOf(persist(() => askVersion(client, signal), { clock, signal, attempts: 2 }));
    await expect.poll(() => clock.sleeping).toBe(1);
    await clock.advance(1_000);
    expect(await twice).toMatchObject({ status: 500 });
    const ending = new AbortController();
    const given = faultOf(persist(() => askVersion(client, signal), { clock, signal: ending.signal }));
    await expect.poll(() => clock.sleeping).toBe(1);
    ending.abort();
    expect(await given).toMatchObject({ status: 500 });
    expect(misp.requests).toHaveLength(3);
  });
});

describe("paging", () => {
  test("every attribute once, whatever warning lists take away, with and without X-Result-Count", async () => {
    const misp = await started();
    const event = misp.addEvent();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 40 }), fc.integer({ min: 2, max: 7 }), fc.boolean(), async (warned, limit, counts) => {
        misp.library.attributes.clear();
        misp.counts = counts;
        // Without counts nobody can tell two empty pages in a row from the end.
        const rows = counts ? warned : warned.map((each, n) => each && n % 2 === 0);
        for (const each of rows) await misp.add(event, { warned: each });
        const found = await all(searchAttributes(clientOf(misp), { enforceWarninglist: true }, { ...once, limit }));
        expect(found.map(({ uuid }) => uuid)).toStrictEqual([...misp.library.attributes.values()].filter((row) => !row.warned).map(({ uuid }) => uuid));
      }),
      { numRuns: scaled(25) },
    );
  });

  test("lists written as objects are lists; answers that are none are told", async () => {
    const misp = await started();
    const client = clientOf(misp);
    const answers: [body: string, rows: number][] = [['{"response": {"Attribute": {"0": {}, "2": {}}}}', 2], ['{"response": []}', 0], ['{"response": {"Attribute": []}}', 0]];
    for (const [body, rows] of answers) {
      misp.trouble({ status: 200, headers: { "X-Result-Count": "1" }, body });
      expect(await all(searchAttributes(client, {}, { ...once, limit: 10 }))).toHaveLength(rows);
    }
    for (const body of ['{"message": "Something went wrong"}', '{"response": 3}', '"yes"']) {
      misp.trouble({ status: 200, body });
      expect(await faultOf(all(searchAttributes(client, {}, { ...once, limit: 10 })))).toMatchObject({ kind: "wrong" });
    }
  });

  test("a page that comes again and again ends it", async () => {
    const misp = await started();
    misp.trouble({ status: 200, times: 5, headers: { "X-Result-Count": "99" }, body: '{"response": {"Attribute": [{"uuid": "a"}]}}' });
    expect(await faultOf(all(searchAttributes(clientOf(misp), {}, { ...once, limit: 10 })))).toMatchObject({ kind: "wrong", message: expect.stringContaining("again and again") as string });
    expect(misp.requests).toHaveLength(2);
  });

  test("no right to search is told as that", async () => {
    const misp = await started();
    misp.rights.search = false;
    expect(await faultOf(all(searchAttributes(clientOf(misp), {}, { ...once, limit: 10 })))).toMatchObject({ kind: "refused", status: 405, hint: expect.stringContaining("search through the API") as string });
  });
});
