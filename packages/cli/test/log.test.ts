import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Entry, jsonLine, LogFile, severities, textLine } from "@threatbus/program";
import { freePorts, on, Workshop } from "./program.ts";

const numRuns = 300 * Number(process.env["THREATBUS_TEST_SCALE"] ?? 1);

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(() => workshop.clean());

const entry = (fields: Entry["fields"], text = "words"): Entry => ({ time: "2026-01-01T00:00:00.000Z", severity: "WARNING", text, fields });

describe("a line", () => {
  test("for people: time, severity, plugin, text, fields", () => {
    expect(textLine(entry({ plugin: "zmq", port: 1, reason: "it's" }), false)).toBe('2026-01-01T00:00:00.000Z WARNING  zmq: words port=1 reason="it\'s"\n');
    expect(textLine(entry({}), true)).toContain("\u001b[33mWARNING");
  });

  test("secrets are taken out", () => {
    const fields = { url: "amqp://user:pw@host", password: "pw", nested: { api_key: ["pw"], ok: 1 } };
    for (const line of [textLine(entry(fields, "see http://me:pw@misp/"), false), jsonLine(entry(fields, "see http://me:pw@misp/"))]) {
      expect(line).not.toContain("pw");
      expect(line).toContain("amqp://***@host");
    }
  });

  test("what JSON cannot say does no harm", () => {
    const cycle: Record<string, unknown> = {};
    cycle["self"] = cycle;
    const line = jsonLine(entry({ big: 1n, error: Object.assign(new Error("m"), { code: "C" }), bytes: new Uint8Array(3), long: "x".repeat(10_000) }));
    expect(JSON.parse(line)).toMatchObject({ big: "1", error: { message: "m", code: "C" }, bytes: "(3 bytes)" });
    expect(line.length).toBeLessThan(6_000);
    expect(textLine(entry({ cycle }), false)).toContain('cycle="(cannot be shown)"');
    expect(JSON.parse(jsonLine(entry({ cycle })))).toEqual({ fields: "(cannot be shown)", time: entry({}).time, severity: "WARNING", text: "words" });
  });

  test("whatever the fields: one line, JSON where promised, nothing a terminal obeys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.anything({ withBigInt: true, withDate: true, withTypedArray: true })), fc.string({ unit: "binary" }), (fields, text) => {
        for (const severity of severities) {
          const made = { ...entry(fields, text), severity };
          for (const line of [jsonLine(made), textLine(made, false)]) expect(line).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]*\n$/u);
          const parsed: unknown = JSON.parse(jsonLine(made));
          if (typeof parsed === "object") expect(parsed).toMatchObject({ severity, time: made.time });
        }
      }),
      { numRuns },
    );
  });
});

describe("the log file", () => {
  test("gets the lines of its own severity, and an ended run's failure", async () => {
    const ports = await freePorts();
    const args = [...on(ports), "--set", "logging.file=true", "--set", "logging.file_verbosity=INFO", "--set", "logging.console=false", "--set", "logging.filename=own.log"];
    const program = workshop.start(args);
    await expect.poll(() => program.stdout).toContain("is running");
    expect((await workshop.run(args)).code).toBe(69);
    program.child.kill("SIGTERM");
    await program.ended;
    expect(program.stderr).toBe("");
    const lines = readFileSync(join(workshop.folder, "own.log"), "utf8").trimEnd().split("\n");
    expect(lines.at(-1)).toMatch(/ INFO +stopped published=0/);
    expect(lines.filter((line) => / ERROR +ended with a failure error=.*PORT_IN_USE/.test(line))).toHaveLength(1);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (?:INFO|WARNING|ERROR) /);
  });

  test("that cannot be opened: exit 78, before anything starts", async () => {
    const { code, stderr, stdout } = await workshop.run([...on(await freePorts()), "--set", "logging.file=true", "--set", "logging.filename=none/own.log"]);
    expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
    expect(stderr).toContain("none/own.log cannot be written (ENOENT)");
    expect(stderr).toContain("logging.filename");
  });

  test.runIf(process.platform === "linux")("on a full disk: the bus lives, says so once, and counts what is lost", async () => {
    const troubles: unknown[] = [];
    const file = await LogFile.open("/dev/full", (reason) => troubles.push(reason));
    for (let n = 0; n < 10; n++) file.append("line\n");
    await expect.poll(() => file.dropped).toBe(10);
    file.append("line\n");
    await file.close();
    expect(file.dropped).toBe(11);
    expect(troubles).toMatchObject([{ code: "ENOSPC" }]);

    const program = workshop.start([...on(await freePorts()), "--set", "logging.file=true", "--set", "logging.filename=/dev/full"]);
    await expect.poll(() => program.stdout).toContain("is running");
    await expect.poll(() => program.stderr).toContain("the log file takes nothing");
    program.child.kill("SIGTERM");
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(program.stderr.match(/takes nothing/g)).toHaveLength(1);
  });

  test("a disk that is too slow: lines are dropped and counted, memory is bounded", async () => {
    const file = await LogFile.open(join(workshop.folder, "slow.log"), () => undefined);
    const line = `${"x".repeat(1_023)}\n`;
    for (let n = 0; n < 10_000; n++) file.append(line);
    await file.close();
    const written = readFileSync(join(workshop.folder, "slow.log"), "utf8").length / 1_024;
    expect(file.dropped).toBeGreaterThan(0);
    expect(written + file.dropped).toBe(10_000);
  });
});
