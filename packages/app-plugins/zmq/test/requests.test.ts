import { describe, expect, it } from "vitest";
import { answer, type Desk, RequestRefused, type Wish } from "../src/requests.ts";

const ports = { pub: 13371, sub: 13372 };
const granted = { topic: "p", pub_port: 13371, sub_port: 13372, status: "success" };
const unknown = { status: "unknown request", reason: expect.any(String) as string };
const failed = { status: "error", reason: expect.any(String) as string };

/** Knows the channel `p` and writes down what was asked for. */
function desk(): Desk & { wishes: Wish[] } {
  const wishes: Wish[] = [];
  return {
    wishes,
    subscribe: (wish) => {
      wishes.push(wish);
      return Promise.resolve("p");
    },
    unsubscribe: (channel) => channel === "p",
    heartbeat: (channel) => channel === "p",
  };
}

const ask = (text: string | Buffer, to: Desk = desk()): Promise<unknown> => answer([Buffer.from(text)], to, ports);

describe("requests", () => {
  it.each<[string, string, Partial<Wish>]>([
    ["a topic", '{"action":"subscribe","topic":"stix2/indicator","snapshot":30}', { topics: ["stix2/indicator"], days: 30, sequenced: false }],
    ["a list of topics", '{"action":"subscribe","topic":["stix2/indicator","stix2/sighting"]}', { topics: ["stix2/indicator", "stix2/sighting"], days: 0 }],
    ["every topic", '{"action":"subscribe","topic":""}', { topics: [""] }],
    ["a topic nobody has used", '{"action":"subscribe","topic":"a b/\\u0000é"}', { topics: ["a b/\u0000é"] }],
    ["days as a string", '{"action":"subscribe","topic":"t","snapshot":"7"}', { days: 7 }],
    ["days as a padded string", '{"action":"subscribe","topic":"t","snapshot":" +7 "}', { days: 7 }],
    ["no days", '{"action":"subscribe","topic":"t","snapshot":0}', { days: 0 }],
    ["a hundred years", '{"action":"subscribe","topic":"t","snapshot":36525}', { days: 36525 }],
    ["unknown features", '{"action":"subscribe","topic":"t","features":["zip"]}', { sequenced: false }],
    ["features of another shape", '{"action":"subscribe","topic":"t","features":{"seq":1}}', { sequenced: false }],
    ["unknown keys", '{"action":"subscribe","topic":"t","__proto__":{"snapshot":-1}}', { days: 0 }],
  ])("takes a subscription to %s", async (_name, request, wish) => {
    const to = desk();
    expect(await ask(request, to)).toEqual(granted);
    expect(to.wishes).toEqual([expect.objectContaining(wish)]);
  });

  it("grants sequence numbers to who asks", async () => {
    const to = desk();
    expect(await ask('{"action":"subscribe","topic":"t","features":["seq"]}', to)).toEqual({ ...granted, features: ["seq"] });
    expect(to.wishes[0]?.sequenced).toBe(true);
  });

  it.each(["unsubscribe", "heartbeat"])("answers %s as the channel is known or not", async (action) => {
    expect(await ask(JSON.stringify({ action, topic: "p" }))).toEqual({ status: "success" });
    expect(await ask(JSON.stringify({ action, topic: "q" }))).toEqual(failed);
    expect(await ask(JSON.stringify({ action, topic: ["p"] }))).toEqual(failed);
    expect(await ask(JSON.stringify({ action, topic: 1 }))).toEqual(failed);
  });

  it.each([
    '{"action":"dance","topic":"t"}', '{"action":"toString","topic":"t"}', '{"action":"constructor","topic":"t"}', '{"topic":"t"}',
    '{"action":"subscribe"}', '{"action":"subscribe","topic":null}', '{"action":"heartbeat"}', "{}", '{"action":["subscribe"],"topic":"t"}',
    '{"__proto__":{"action":"subscribe","topic":"t"}}',
  ])("does not know %s", async (request) => {
    const to = desk();
    expect(await ask(request, to)).toEqual(unknown);
    expect(to.wishes).toEqual([]);
  });

  it.each([
    "", "no json", "[]", "null", "1", '"text"', "{", '{"action":"subscribe","topic":"t","snapshot":-1}', '{"action":"subscribe","topic":"t","snapshot":36526}',
    '{"action":"subscribe","topic":"t","snapshot":"-1"}', '{"action":"subscribe","topic":"t","snapshot":1e300}', '{"action":"subscribe","topic":"t","snapshot":1.5}',
    '{"action":"subscribe","topic":"t","snapshot":"many"}', '{"action":"subscribe","topic":"t","snapshot":""}', '{"action":"subscribe","topic":"t","snapshot":null}',
    '{"action":"subscribe","topic":"t","snapshot":true}', '{"action":"subscribe","topic":"t","snapshot":[1]}', '{"action":"subscribe","topic":"t","snapshot":"1e2"}',
    '{"action":"subscribe","topic":[]}', '{"action":"subscribe","topic":[1]}', '{"action":"subscribe","topic":{}}', '{"action":"subscribe","topic":7}',
    JSON.stringify({ action: "subscribe", topic: Array.from({ length: 257 }, String) }),
    "[".repeat(60_000),
  ])("refuses %.60s", async (request) => {
    const to = desk();
    expect(await ask(request, to)).toEqual(failed);
    expect(to.wishes).toEqual([]);
  });

  it("refuses what is no text, too long, or no single frame", async () => {
    expect(await ask(Buffer.from([0x7b, 0xff, 0x7d]))).toEqual(failed);
    expect(await ask(`{"action":"subscribe","topic":"${"t".repeat(65_536)}"}`)).toEqual(failed);
    expect(await answer([], desk(), ports)).toEqual(failed);
    expect(await answer([Buffer.from("{}"), Buffer.from("{}")], desk(), ports)).toEqual(failed);
  });

  it("never repeats what was sent, and tells only its own reasons", async () => {
    const to = (thrown: Error): Desk => ({ ...desk(), subscribe: () => Promise.reject(thrown) });
    const request = '{"action":"subscribe","topic":"t"}';
    expect(await ask(request, to(new Error("a secret")))).toEqual({ status: "error", reason: "the request failed" });
    expect(await ask(request, to(new RequestRefused("full")))).toEqual({ status: "error", reason: "full" });
    expect(JSON.stringify(await ask('{"action":"<marker>","topic":"<marker>"}'))).not.toContain("marker");
  });
});
