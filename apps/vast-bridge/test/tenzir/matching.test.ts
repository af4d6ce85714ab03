import { needs, tenzir, type Tenzir } from "@threatbus/services";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Engine, JsonObject } from "../../src/engine.ts";
import { tenzirOptions } from "../../src/engines/tenzir/options.ts";
import { Matcher } from "../../src/matcher.ts";
import type { Observable } from "../../src/observable.ts";
import { keyOf, observableAt, observableKinds } from "../../src/observable.ts";
import { brief, importEvents, searched, stand, watch, type Stand } from "./stand.ts";

const { describe } = await needs("tenzir");

/** No event has a SHA-512. */
const kinds = observableKinds.filter((kind) => kind !== "sha512");
const paths = [
  "ipv4-addr:value", "domain-name:value", "url:value", "email-addr:value", "file:hashes.MD5", "file:hashes.'SHA-1'", "file:hashes.'SHA-256'", "file:hashes.'SHA-512'",
  "x509-certificate:hashes.'SHA-1'", "x-tls:ja3", "x-tls:ja3s", "x-tls:ja4",
];

/** Every observable that any text of the events could be, the blocks of addresses and the domains above names included. */
function observablesIn(value: unknown): Observable[] {
  if (typeof value === "object" && value !== null) return Object.values(value).flatMap(observablesIn);
  if (typeof value !== "string") return [];
  const mailboxes = value.match(/[^\s<>,]+@[^\s<>,]+/g) ?? [];
  const texts = [value, ...mailboxes, `http://${value}`, value.replace(/^[^.]+\./, ""), value.replace(/\.\d+$/, ".0/24"), value.replace(/:[0-9a-f]*$/i, ":/64").replace(/:+\/64$/, "::/64")];
  return texts.flatMap((text) => paths.map((path) => observableAt(path, text))).filter((read): read is Observable => "kind" in read);
}

describe("Tenzir", () => {
  let node: Tenzir;
  let stored: { schema: string; event: JsonObject }[];
  let observables: Observable[];
  /** What the matcher finds in all stored events. */
  let expected: string[];
  let usual: Engine;
  const stands: Stand[] = [];
  const engineWith = async (options: Parameters<typeof stand>[2] = {}): Promise<Engine> => {
    const made = await stand(node.endpoint, node.binary, options);
    stands.push(made);
    return made.engine;
  };
  const matches = (subdomains: boolean): string[] => {
    const matcher = new Matcher({ ...tenzirOptions.parse({}), subdomains });
    for (const observable of observables) matcher.watchlist.add(observable);
    return stored.flatMap(({ schema, event }) => matcher.match(event).map((match) => brief({ ...match, event, schema }))).sort();
  };

  beforeAll(async () => {
    node = await tenzir();
    await importEvents(node);
    const lines = (await node.run("export | this = {schema: @name, event: this} | write_ndjson")).trim().split("\n");
    stored = lines.map((line) => JSON.parse(line) as { schema: string; event: JsonObject });
    const found = new Map(stored.flatMap(({ event }) => observablesIn(event)).map((observable) => [keyOf(observable), observable]));
    const urls = ["http://evil.example/gate.php?id=7", "evil.example/gate.php", "https://evil.example/gate.php"].map((url) => observableAt("url:value", url) as Observable);
    for (const url of urls) found.set(keyOf(url), url);
    observables = [...found.values()];
    expected = matches(false);
    usual = await engineWith();
  });
  afterAll(async () => {
    await Promise.all(stands.map((each) => each.stop()));
    await node?.stop();
  });

  it("has events of all kinds of observables", () => {
    const found = new Set(expected.map((text) => text.split(":")[0]));
    expect([...found].sort()).toEqual([...kinds].sort());
    expect(expected.length).toBeGreaterThan(100);
  });

  it.concurrent("finds in the past, with tables, what there is", async ({ expect }) => {
    const engine = await engineWith({ index_up_to: 0 });
    expect((await searched(engine, observables)).map(brief).sort()).toEqual(expected);
  });

  it.concurrent("finds the same with the index where it can tell", async ({ expect }) => {
    expect((await searched(usual, observables)).map(brief).sort()).toEqual(expected);
  });

  it.concurrent.for(kinds)("finds one %s", async (kind, { expect }) => {
    const one = observables.find((observable) => observable.kind === kind && expected.some((text) => text.startsWith(`${keyOf(observable)} |`)));
    if (one === undefined) throw new Error(`no ${kind}`);
    expect((await searched(usual, [one])).map(brief).sort()).toEqual(expected.filter((text) => text.startsWith(`${keyOf(one)} |`)));
  });

  it.concurrent("finds names below a domain, if asked to", async ({ expect }) => {
    const engine = await engineWith({ subdomains: true });
    const below = matches(true);
    expect(below.length).toBeGreaterThan(expected.length);
    expect((await searched(engine, observables)).map(brief).sort()).toEqual(below);
  });

  it("finds them live, as they come", async () => {
    const { session, hits } = await watch(usual, observables);
    await importEvents(node);
    await expect.poll(() => hits.length).toBeGreaterThanOrEqual(expected.length);
    await session.close();
    expect(hits.map(brief).sort()).toEqual(expected);
  });
});
