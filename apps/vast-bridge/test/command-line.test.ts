import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "@threatbus/testkit";
import { describe, expect, test } from "vitest";
import { site, vast } from "./grounds.ts";
import { eventually, indicator } from "./program.ts";
import type { Program } from "./program.ts";

async function ended(program: Program): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

describe("the command line", () => {
  test("teaches", async () => {
    const { code, stdout } = await ended(site.bridge({}, ["--help"]));
    expect(code).toBe(0);
    for (const word of ["-c, --config", "--set", "--dry-run", "VAST_THREATBUS_LIVE_MATCH", "Exit codes", "$ vast-threatbus"]) expect(stdout).toContain(word);
    expect((await ended(site.bridge({}, ["--version"]))).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test("is refused with the way out", async () => {
    expect(await ended(site.bridge({}, ["--confg", "x"]))).toMatchObject({ code: 64, stderr: expect.stringContaining("Did you mean --config?") as string });
    expect(await ended(site.bridge({}, ["198.51.100.7"]))).toMatchObject({ code: 64, stderr: expect.stringContaining("--dry-run") as string });
  });

  test("dry-run prints what would be run, from arguments and from standard input, and runs nothing", async () => {
    const config = { vast_binary: vast.binary, live_match: true, matcher_name: "m", retro_match_max_events: 3 };
    const one = await ended(site.bridge(config, ["--dry-run", "[domain-name:value = 'evil.example']"]));
    expect(one).toMatchObject({ code: 0, stderr: "" });
    expect(one.stdout.split("\n")).toEqual([
      `${vast.binary} -e localhost:42000 export --caf.scheduler.max-threads=1 --max-events=3 json '"evil.example" == net.domain || "evil.example" == net.hostname'`,
      `${vast.binary} -e localhost:42000 matcher add m evil.example threatbus__indicator--00000000-0000-4000-8000-000000000000`,
      "",
    ]);
    const lines = [JSON.stringify(indicator(1, "[ipv4-addr:value = '198.51.100.7']")), "", "2001:db8::1", "[ipv4-addr:value = '0.0.0.0/0']", "{bad", "\u001b[31m"].join("\n");
    const many = await ended(site.bridge(config, ["--dry-run"], {}, lines));
    expect(many.code).toBe(1);
    expect(many.stdout).toContain("json 198.51.100.7\n");
    expect(many.stdout).toContain("json 2001:db8::1\n");
    expect(many.stdout).toContain("# not matched (broad): the value of ipv4-addr:value is a block wider than /8");
    expect(many.stdout).toContain("# not matched (pattern): this is no indicator in JSON");
    expect(many.stdout + many.stderr).not.toContain("\u001b");
    expect(vast.calls).toEqual([]);
  });

  test("dry-run of the engines without VAST needs neither node nor files, and has the value in no program", async () => {
    const tenzir = await ended(site.bridge({ engine: "tenzir", tenzir: { binary: "/nowhere/tenzir" } }, ["--dry-run", "evil.example", "10.0.0.0/8"]));
    expect(tenzir).toMatchObject({ code: 0, stderr: "" });
    expect(tenzir.stdout.split("\n").filter((line) => /evil|10\.0/.test(line))).toEqual(['// {"text":"evil.example"}', '// {"net":"10.0.0.0/8"}']);
    expect(tenzir.stdout).toContain('context_update "threatbus-ip", key=key');
    const logs = await ended(site.bridge({ engine: "logs", logs: { files: ["/nowhere/*.json"] } }, ["--dry-run", "evil.example"]));
    expect(logs).toMatchObject({ code: 0, stderr: "" });
    expect(logs.stdout).toContain("evil.example");
  });
});

describe("the configuration", () => {
  test("tells every problem with its place, and a way out", async () => {
    writeFileSync(join(site.folder, "bad.yaml"), "live_match: maybe\nretro_mach: true\nthreatbus: nowhere\nsink: \"x 'y\"\nmetrics:\n  port: 0\nretro_match_timeout: -1\nsnapshot: many\n");
    const { code, stderr } = await ended(site.bridge({}, ["-c", "bad.yaml"], { VAST_THREATBUS_MAX_BACKGROUND_TASKS: "none" }));
    expect(code).toBe(78);
    for (const line of [
      "bad.yaml:1:13  live_match: expected true or false",
      "bad.yaml:2:1  retro_mach: unknown option",
      'did you mean "retro_match"?',
      "bad.yaml:3:12  threatbus: is no host:port",
      "bad.yaml:4:7  sink: is no command: a single quote is not closed",
      "bad.yaml:6:9  metrics.port: expected",
      "environment VAST_THREATBUS_MAX_BACKGROUND_TASKS  max_background_tasks: expected",
      "bad.yaml:8:11  snapshot: expected",
    ]) expect(stderr).toContain(line);
    expect(await ended(site.bridge({}, ["-c", "none.yaml"]))).toMatchObject({ code: 78, stderr: expect.stringContaining("none.yaml: there is no such file") as string });
  });

  test("says so when there is nothing to do, and when a matcher has no name", async () => {
    expect(await ended(site.bridge({ retro_match: false }))).toMatchObject({ code: 78, stderr: expect.stringContaining("there is nothing to do: set retro_match or live_match, or both") as string });
    expect(await ended(site.bridge({ live_match: true }))).toMatchObject({ code: 78, stderr: expect.stringContaining("matcher_name: is required to match live") as string });
  });

  test("of the reference is taken as it is, .env and environment before it", async () => {
    await site.bus();
    const { client, sightings } = await site.client();
    vast.events({ ts: "2026-01-01T00:00:00", query: "evil.example" });
    writeFileSync(join(site.folder, "reference.yaml"), `logging:
  console: true
  console_verbosity: INFO
  file: true
  file_verbosity: DEBUG
  filename: pyvast-threatbus.log
metrics:
  interval: 60
  filename: metrics.log
vast: localhost:42000
vast_binary: unknown-vast
threatbus: localhost:1
snapshot: 30
live_match: false
matcher_name: my-matcher
retro_match: true
retro_match_max_events: 0
retro_match_timeout: 5.
max_background_tasks: 100
`);
    writeFileSync(join(site.folder, ".env"), `VAST_THREATBUS_VAST_BINARY=${vast.binary}\nVAST_THREATBUS_THREATBUS=localhost:2\n`);
    const bridge = await site.running(site.bridge({}, ["-c", "reference.yaml"], { VAST_THREATBUS_THREATBUS: `127.0.0.1:${site.ports[0]}` }));
    await client.publish(indicator(1, "[domain-name:value = 'evil.example']"));
    await eventually(() => sightings.length).toBe(1);
    await bridge.kill("SIGTERM");
    expect(readFileSync(join(site.folder, "metrics.log"), "utf8")).toMatch(/^vast-threatbus,host=\S+ added_iocs=1,retro_matches_per_ioc_min=1,/m);
    expect(readFileSync(join(site.folder, "pyvast-threatbus.log"), "utf8")).toContain("stopped");
  });
});

describe("a start", () => {
  test("without the tool ends with what to do, and a code for supervisors", async () => {
    expect(await ended(site.bridge({ vast_binary: "/nowhere/vast" }))).toMatchObject({ code: 69, stderr: expect.stringMatching(/"\/nowhere\/vast" cannot be started \(ENOENT\)\n {2}hint: install VAST, or set vast_binary/) as string });
  });

  test("on a state that is in use, or cannot be, says so", async () => {
    const config = { vast_binary: vast.binary };
    const first = site.bridge(config);
    await eventually(() => first.stderr).toContain("is running");
    expect(await ended(site.bridge(config))).toMatchObject({ code: 69, stderr: expect.stringContaining(`is held by process ${first.child.pid}`) as string });
    await first.kill("SIGKILL");
    const second = site.bridge(config);
    await eventually(() => second.stderr).toContain("is running");
    expect(await second.kill("SIGTERM")).toEqual({ code: 0, signal: null });
    mkdirSync(join(site.folder, "f"));
    writeFileSync(join(site.folder, "f", "file"), "");
    expect(await ended(site.bridge({ ...config, state_dir: "f/file" }))).toMatchObject({ code: 73, stderr: expect.stringContaining("set state_dir") as string });
  });

  test("serves its figures and its health, which is true", async () => {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const bridge = site.bridge({ vast_binary: vast.binary, metrics: { port }, live_match: true, matcher_name: "m" });
    const ask = async (path: string): Promise<string> => fetch(url + path).then(async (answer) => `${answer.status} ${await answer.text()}`, () => "");
    await eventually(() => bridge.stderr).toContain("is running");
    expect(await ask("/healthz")).toMatch(/^503 no connection to the bus/);
    await site.bus();
    const { client, sightings } = await site.client();
    await site.running(bridge);
    await expect.poll(() => ask("/healthz")).toBe("200 running\n");
    vast.events({ ts: "2026-01-01T00:00:00", query: "evil.example" });
    await client.publish(indicator(1, "[domain-name:value = 'evil.example']"));
    await client.publish(indicator(2, "[mutex:name = 'x']"));
    await eventually(() => sightings.length).toBe(1);
    // The search may end a little after what it found has arrived.
    for (const line of ["sightings_delivered_total 1", "retro_searched_total 1"]) await expect.poll(() => ask("/metrics")).toContain(`vast_threatbus_${line}\n`);
    const text = await ask("/metrics");
    for (const line of [
      "vast_threatbus_up 1", "vast_threatbus_indicators 1", 'vast_threatbus_indicators_received_total{outcome="added"} 1', 'vast_threatbus_indicators_received_total{outcome="skipped"} 1',
      'vast_threatbus_indicators_skipped_total{reason="type"} 1', "vast_threatbus_retro_searched_total 1", "vast_threatbus_retro_backlog 0", 'vast_threatbus_sightings_total{match="RETRO"} 1',
      "vast_threatbus_sightings_waiting 0", "vast_threatbus_bus_connected 1", "vast_threatbus_live_connected 1",
    ]) expect(text).toContain(`${line}\n`);
    vast.set("down", true);
    await expect.poll(() => ask("/healthz")).toMatch(/^503 no live matching/);
    await bridge.kill("SIGTERM");
  });

  test("with sink: STDOUT prints events and nothing else there, and publishes none", async () => {
    await site.bus();
    const { client, sightings } = await site.client();
    vast.events({ ts: "2026-01-01T00:00:00", query: "evil.example" });
    const bridge = await site.running(site.bridge({ vast_binary: vast.binary, sink: "STDOUT" }));
    await client.publish(indicator(1, "[domain-name:value = 'evil.example']"));
    await eventually(() => bridge.stdout).toBe('{"ts": "2026-01-01T00:00:00", "query": "evil.example"}\n');
    await bridge.kill("SIGTERM");
    expect(sightings).toEqual([]);
  });
});
