import { isThreatbusError } from "@threatbus/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { misp } from "../src/index.ts";
import { options } from "../src/options.ts";

const pathsOf = (given: unknown): string[] => (options.safeParse(given).error?.issues ?? []).map(({ path, code, ...more }) => [...path, ...("keys" in more ? (more.keys) : [])].join("."));

describe("options", () => {
  test("have defaults", () => {
    expect(options.parse({ zmq: {}, api: { host: "https://misp.example", key: "k" } })).toStrictEqual({
      zmq: { host: "localhost", port: 50_000, topics: ["misp_json_attribute"] },
      api: { host: "https://misp.example", ssl: true, key: "k", key_header: "Authorization", timeout: 60, page_size: 1_000, poll_interval: 300, cache_ttl: 300 },
      filter: [], exclude: [], published_only: false, profile: "point", compound: "and", rule_topics: false, local_tags: false,
      sightings: { report: true, source: "Threat Bus" },
      state: { max_items: 1_000_000 },
    });
  });

  test.each([
    [{ zmq: { host: "localhost", port: 50_000 } }],
    [{ kafka: { topics: ["misp_attribute"], poll_interval: 1.0, config: { "bootstrap.servers": "localhost:9092", "group.id": "threatbus", "auto.offset.reset": "earliest" } } }],
    [{}],
  ])("a file of the first Threat Bus passes: %j", (feed) => {
    const given = {
      api: { host: "https://localhost", ssl: false, key: "MISP_API_KEY" },
      filter: [{ orgs: ["1", "25"], tags: ["tlp:amber", "tlp:red"], types: ["ip-src", "url"] }, { orgs: [7] }],
      ...feed,
    };
    expect(options.parse(given)).toMatchObject(given);
  });

  test.each([
    [{ zmq: { prot: 1 } }, "zmq.prot"], [{ zqm: {} }, "zqm"], [{ zmq: { port: 80_000 } }, "zmq.port"], [{ zmq: { port: "50000" } }, "zmq.port"], [{ zmq: { host: "" } }, "zmq.host"],
    [{ zmq: {}, filter: [{ org: [1] }] }, "filter.0.org"], [{ zmq: {}, filter: [{ orgs: [1.5] }] }, "filter.0.orgs.0"], [{ zmq: { username: "u" } }, "zmq"],
    [{ zmq: { username: "ü".repeat(128), password: "p" } }, "zmq.username"], [{ zmq: { username: "u", password: "p".repeat(256) } }, "zmq.password"], [{ zmq: { topics: ["misp_json_user"] } }, "zmq.topics.0"],
    [{ zmq: { topics: [] } }, "zmq.topics"], [{ zmq: {}, kafka: {} }, "kafka"], [{}, ""], [{ kafka: { config: { "group.id": "g" } } }, "kafka.config.bootstrap.servers"],
    [{ kafka: { config: { "bootstrap.servers": "h", "compression.codec.of.mine": 1 } } }, "kafka.config.compression.codec.of.mine"], [{ kafka: { topics: ["a b"] } }, "kafka.topics.0"],
    [{ api: { host: "https://localhost" } }, "api.key"], [{ api: { host: "localhost", key: "k" } }, "api.host"], [{ api: { host: "https://me:pw@localhost", key: "k" } }, "api.host"],
    [{ api: { host: "https://localhost", key: "k\r\nX: y" } }, "api.key"], [{ api: { host: "https://localhost", key: "k", page_size: 1 } }, "api.page_size"], [{ zmq: {}, state: { max_items: 0 } }, "state.max_items"],
  ])("%j: a problem at %s", (given, path) => expect(pathsOf(given)).toContain(path));

  test("say what is missing, and that there is one feed", () => {
    expect(() => misp({})).toThrow(/needs `zmq`, `kafka` or `api`/);
    expect(() => misp({ zmq: {}, kafka: {} })).toThrow(/misp\.kafka: the feed is `zmq` or `kafka`, not both/);
    try {
      misp({});
    } catch (thrown) {
      expect(isThreatbusError(thrown, "OPTIONS_INVALID")).toBe(true);
    }
  });

  test("every option is described, and has a JSON Schema", () => {
    const undescribed: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string): void => {
      for (const [key, child] of Object.entries((schema["properties"] ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof child["description"] !== "string") undescribed.push(`${path}${key}`);
        walk(child, `${path}${key}.`);
        if (child["items"] !== undefined) walk(child["items"] as Record<string, unknown>, `${path}${key}.`);
      }
    };
    walk(z.toJSONSchema(options, { io: "input" }), "");
    expect(undescribed).toStrictEqual([]);
  });
});
