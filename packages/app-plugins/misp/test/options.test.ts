import { isThreatbusError } from "@threatbus/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { misp } from "../src/index.ts";
import { options } from "../src/options.ts";

const pathsOf = (given: unknown): string[] => (options.safeParse(given).error?.issues ?? []).map(({ path, code, ...more }) => [...path, ...("keys" in more ? (more.keys) : [])].join("."));

describe("options", () => {
  test("have defaults", () => {
    expect(options.parse({})).toStrictEqual({
      zmq: { host: "localhost", port: 50_000 }, filter: [], exclude: [], published_only: false, profile: "point", compound: "and", rule_topics: false, local_tags: false,
      state: { max_items: 1_000_000 },
    });
  });

  test("a file of the first Threat Bus passes", () => {
    const given = {
      api: { host: "https://localhost", ssl: false, key: "MISP_API_KEY" },
      filter: [{ orgs: ["1", "25"], tags: ["tlp:amber", "tlp:red"], types: ["ip-src", "url"] }, { orgs: [7] }],
      zmq: { host: "localhost", port: 50_000 },
    };
    expect(options.parse(given)).toMatchObject(given);
  });

  test.each([
    [{ zmq: { prot: 1 } }, "zmq.prot"], [{ zqm: {} }, "zqm"], [{ zmq: { port: 80_000 } }, "zmq.port"], [{ zmq: { port: "50000" } }, "zmq.port"], [{ zmq: { host: "" } }, "zmq.host"],
    [{ filter: [{ org: [1] }] }, "filter.0.org"], [{ filter: [{ orgs: [1.5] }] }, "filter.0.orgs.0"], [{ zmq: { username: "u" } }, "zmq"],
    [{ api: { host: "https://localhost" } }, "api.ssl"], [{ kafka: { topics: ["t"], poll_interval: 1.0, config: { "group.id": "g" } } }, "kafka"], [{ state: { max_items: 0 } }, "state.max_items"],
  ])("%j: a problem at %s", (given, path) => expect(pathsOf(given)).toContain(path));

  test("kafka says what to do", () => {
    const configure = (): unknown => misp({ kafka: { topics: ["misp_attribute"], poll_interval: 1, config: {} } });
    expect(configure).toThrow(/misp\.kafka: .*use `zmq`/);
    try {
      configure();
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
