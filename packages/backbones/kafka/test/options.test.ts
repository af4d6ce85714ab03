import { isThreatbusError } from "@threatbus/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readProperties } from "@threatbus/kafka-client";
import { kafka } from "../src/index.ts";
import { options } from "../src/options.ts";

const problemsOf = (given: unknown): string[] => (options.safeParse(given).error?.issues ?? []).map(({ path, message }) => `${path.join("/")}: ${message}`);
const config = (given: Record<string, unknown>): unknown => ({ config: { "bootstrap.servers": "localhost", ...given } });

describe("options", () => {
  test("have defaults", () => {
    expect(options.parse({})).toStrictEqual({
      topic: "threatbus", topic_per_type: false, prefetch: 2_000, create_topics: { enabled: true, partitions: 1 },
      outbox: { max_items: 10_000, max_bytes: 67_108_864, overflow: "block" }, config: { "bootstrap.servers": "localhost:9092" },
    });
  });

  test("every one is described, and has a JSON Schema", () => {
    const undescribed: string[] = [];
    const walk = (schema: Record<string, unknown>, path: string): void => {
      for (const [key, child] of Object.entries((schema["properties"] ?? {}) as Record<string, Record<string, unknown>>)) {
        if (typeof child["description"] !== "string") undescribed.push(`${path}${key}`);
        walk(child, `${path}${key}.`);
      }
    };
    walk(z.toJSONSchema(options, { io: "input" }), "");
    expect(undescribed).toStrictEqual([]);
  });

  test.each<[unknown, RegExp]>([
    [{ topics: ["a"] }, /topics/], [{ topic: "a b" }, /^topic: .*letters/], [{ topic: ".." }, /^topic: /], [{ from: "yesterday" }, /^from: must be latest, earliest or a time/],
    [{ from: "2026-02-30T00:00:00Z" }, /^from/], [{ prefetch: 0 }, /^prefetch/], [{ create_topics: { partitions: 0 } }, /^create_topics\/partitions/],
    [{ dead_letter_topic: "threatbus" }, /^dead_letter_topic: must be no topic that is read/], [{ topic_per_type: true, dead_letter_topic: "threatbus.dead" }, /^dead_letter_topic/],
    [{ config: {} }, /^config\/bootstrap.servers: is needed/], [config({ "bootstrap.servers": "a b" }), /brokers as `host:port`/],
    [{ group_id: "a", ...(config({ "group.id": "b" }) as object) }, /^group_id: differs from `group.id`/], [{ from: "latest", ...(config({ "auto.offset.reset": "earliest" }) as object) }, /^from: differs/],
  ])("%j: %s", (given, problem) => expect(problemsOf(given)).toContainEqual(expect.stringMatching(problem)));
});

describe("settings under librdkafka's names", () => {
  test.each<[Record<string, unknown>, RegExp]>([
    [{ "boostrap.servers": "a" }, /^config\/boostrap.servers: is not known: did you mean "bootstrap.servers"\?$/],
    [{ session_timeout_ms: 6000 }, /did you mean "session.timeout.ms"/],
    [{ "no.such.thing": 1 }, /^config\/no.such.thing: has no counterpart here$/],
    [{ "linger.ms": 5 }, /has no counterpart here: what arrives while a batch is under way/],
    [{ "transactional.id": "t" }, /without transactions/],
    [{ "enable.auto.commit": false }, /committed after delivery/],
    [{ acks: 1 }, /left at all/],
    [{ "sasl.mechanism": "GSSAPI" }, /one of plain, scram-sha-256, scram-sha-512/],
    [{ "sasl.username": "u" }, /^config\/sasl.username: needs `security.protocol` sasl_plaintext or sasl_ssl$/],
    [{ "security.protocol": "sasl_ssl" }, /^config\/sasl.password: is needed with `security.protocol` sasl_ssl$/],
    [{ "ssl.ca.location": "ca.pem" }, /needs `security.protocol` ssl or sasl_ssl/],
    [{ "session.timeout.ms": 2_000, "heartbeat.interval.ms": 2_000 }, /^config\/heartbeat.interval.ms: must be less/],
    [{ "session.timeout.ms": "soon" }, /a whole number from 1000 to 1800000/],
    [{ "metadata.broker.list": "b" }, /is bootstrap.servers once more/],
    [{ "bootstrap.servers": ["a"] }, /config/],
  ])("%j: %s", (given, problem) => expect(problemsOf(config(given))).toContainEqual(expect.stringMatching(problem)));

  test("are read, in whatever form YAML has them", () => {
    const { properties, problems } = readProperties({
      "bootstrap.servers": "SASL_SSL://one:9093, two", "security.protocol": "SASL_SSL", "sasl.mechanisms": "SCRAM-SHA-512", "sasl.username": "u", "sasl.password": 1234, "session.timeout.ms": "10000",
      "auto.offset.reset": "smallest", "ssl.ca.location": "ca.pem", "ssl.endpoint.identification.algorithm": "none", "enable.ssl.certificate.verification": "false", "enable.auto.commit": true, acks: -1, "group.id": "g",
    });
    expect(problems).toEqual([]);
    expect(properties).toMatchObject({
      connection: { brokers: ["one:9093", "two:9092"], sasl: { mechanism: "scram-sha-512", username: "u", password: "1234" } },
      tls: { ca: { file: "ca.pem" }, verify: false, checkHost: false }, group: { sessionTimeout: 10_000, heartbeatInterval: 1_500 }, groupId: "g", reset: "earliest",
    });
  });

  test("never show a secret in a problem", () => {
    try {
      kafka({ config: { "bootstrap.servers": "a", "sasl.password": "hunter2", "sasl.passwort": "hunter2" } });
      expect.unreachable();
    } catch (thrown) {
      expect(isThreatbusError(thrown, "OPTIONS_INVALID")).toBe(true);
      expect(JSON.stringify([thrown, String(thrown)])).not.toContain("hunter2");
    }
  });
});
