import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { exitCodes } from "@threatbus/program";
import { exitCodeMeanings } from "../src/exit-codes.ts";
import { createProgram } from "../src/program.ts";
import { Workshop } from "./program.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(() => workshop.clean());

const read = (name: string): string => readFileSync(join(workshop.folder, name), "utf8");

describe("init", () => {
  test("writes a file for its owner alone that check accepts, with every option, and never overwrites it unasked", async () => {
    expect((await workshop.run(["init"])).code).toBe(0);
    expect(read("config.yaml")).toMatch(/^ +zmq:\n(?:.*\n)*? +manage: 13370/m);
    expect(statSync(join(workshop.folder, "config.yaml")).mode & 0o077).toBe(0);
    const checked = await workshop.run(["check"]);
    expect(checked).toMatchObject({ code: 0, stderr: "" });
    expect(checked.stdout).toContain("config.yaml: no problems");

    workshop.write("config.yaml", "# mine\n");
    const second = await workshop.run(["init"]);
    expect(second).toMatchObject({ code: 73, stdout: "" });
    expect(second.stderr).toContain("--force");
    expect(read("config.yaml")).toBe("# mine\n");
    expect((await workshop.run(["init", "--force"])).code).toBe(0);
    expect(read("config.yaml")).toContain("zmq:");
  });

  test("prints to standard output for -, and says where it cannot write", async () => {
    expect((await workshop.run(["init", "-"])).stdout).toContain("plugins:");
    expect(await workshop.run(["init", "none/config.yaml"])).toMatchObject({ code: 73, stderr: expect.stringContaining("none/config.yaml cannot be written (ENOENT)") as string });
  });
});

describe("check", () => {
  test("tells what would be loaded, defaults and overrides included, and starts nothing", async () => {
    const taken = await workshop.occupy();
    workshop.write("my.yaml", "plugins:\n  backbones: {inmem: null}\n  apps: {zmq: {manage: 14000}}\nmetrics: {port: 9100}\n");
    const { code, stdout } = await workshop.run(["check", "my.yaml", "--set", `plugins.apps.zmq.pub=${taken}`], { env: { THREATBUS_PLUGINS__APPS__ZMQ__SUB: "14002" } });
    expect(code).toBe(0);
    expect(stdout).toContain(`apps join at 127.0.0.1:14000 (messages out ${taken}, in 14002)`);
    expect(stdout).toMatch(/inmem +messages move within this process; a crash loses/);
    expect(stdout).toContain("http://127.0.0.1:9100/metrics");
  });

  test("takes -c before and behind the command", async () => {
    workshop.write("my.yaml", "plugins: {backbones: {inmem: {}}}\n");
    for (const args of [["-c", "my.yaml", "check"], ["check", "-c", "my.yaml"], ["check", "my.yaml"]]) {
      expect((await workshop.run(args)).stdout).toContain("my.yaml: no problems");
    }
  });

  test("tells all problems: exit 78", async () => {
    workshop.write("config.yaml", "plugins:\n  backbones: {}\n  apps: {zmq: {pub: 13370}}\n");
    const { code, stdout, stderr } = await workshop.run(["check"]);
    expect({ code, stdout }).toEqual({ code: 78, stdout: "" });
    expect(stderr).toMatch(/config\.yaml:2:\d+ .*a bus needs a backbone/);
    expect(stderr).toMatch(/config\.yaml:3:\d+ .*three different ports/);
  });
});

test("schema prints the JSON Schema, plugins included", async () => {
  const { code, stdout } = await workshop.run(["schema"]);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ $defs: { "app.zmq": { properties: { manage: { default: 13_370 } } }, "backbone.inmem": {} } });
});

test("plugins lists what is installed and what is configured", async () => {
  workshop.write("config.yaml", "plugins: {backbones: {inmem: {}}}\n");
  const listed = await workshop.run(["plugins"]);
  expect(listed.code).toBe(0);
  expect(listed.stdout).toMatch(/^inmem +backbone +@threatbus\/inmem +\S+ +configured/m);
  expect(listed.stdout).toMatch(/^zmq +app +@threatbus\/zmq +\S+ +not configured/m);
  const rows = JSON.parse((await workshop.run(["plugins", "--json"])).stdout) as unknown[];
  expect(rows).toContainEqual(expect.objectContaining({ name: "zmq", kind: "app", configured: false }));

  workshop.write("config.yaml", "plugins: {backbones: {inme: {}}}\n");
  const broken = await workshop.run(["plugins"]);
  expect(broken.code).toBe(78);
  expect(broken.stdout).toContain("@threatbus/zmq");
  expect(broken.stderr).toContain('did you mean "inmem"');
});

test("keygen writes a pair for its owner alone, prints the public key, and never overwrites", async () => {
  const { code, stdout } = await workshop.run(["keygen", "bus.key"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\S{40}\n$/);
  expect(read("bus.key")).toContain(stdout.trim());
  expect(statSync(join(workshop.folder, "bus.key")).mode & 0o777).toBe(0o600);
  const before = read("bus.key");
  expect((await workshop.run(["keygen", "bus.key"])).code).toBe(73);
  expect(read("bus.key")).toBe(before);
});

describe("help", () => {
  test("lists every command and exit code, with examples", async () => {
    const { code, stdout } = await workshop.run(["help"]);
    expect(code).toBe(0);
    for (const command of createProgram().commands) expect(stdout).toMatch(new RegExp(`^  ${command.name()} `, "m"));
    for (const [numbers, meaning] of exitCodeMeanings) expect(stdout).toContain(`${numbers.padEnd(10)}${meaning}`);
    expect(stdout).toContain("Examples:\n  $ threatbus");
    expect((await workshop.run(["--help"])).stdout).toBe(stdout);
  });

  test("of every command says what it does and gives an example", async () => {
    for (const command of createProgram().commands) {
      let text = "";
      command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
      expect(text, command.name()).toContain("Usage: threatbus");
      expect(command.description().length, command.name()).toBeGreaterThan(60);
      if (command.name() !== "run") expect(text, command.name()).toContain("$ threatbus ");
    }
  });

  test("every exit code the program sets is explained", () => {
    const explained = exitCodeMeanings.flatMap(([numbers]) => numbers.split(", ").map(Number));
    expect(Object.values(exitCodes).filter((code) => !explained.includes(code))).toEqual([]);
  });

  test("-V prints the version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
    expect((await workshop.run(["-V"])).stdout).toBe(`${version}\n`);
  });
});

describe("a command line that is wrong: exit 64, told on standard error, without a stack", () => {
  test.each([
    [["tial"], 'unknown command tial: did you mean "tail"?'],
    [["tial", "--json"], "unknown command tial"],
    [["frobnicate"], "unknown command frobnicate"],
    [["--confg", "x"], 'unknown option --confg: did you mean "--config"?'],
    [["tail", "--jsno"], "Did you mean --json?"],
    [["tail", "--since", "soon"], "30d, 12h, 6w, 1y"],
    [["tail", "--manage", "80000"], "from 1 to 65535"],
    [["snapshot"], "--since"],
    [["publish"], "file"],
    [["check", "a", "b"], "too many arguments"],
    [["--log-format", "xml"], "text, json"],
  ])("%j", async (args, words) => {
    const { code, stdout, stderr } = await workshop.run(args);
    expect({ code, stdout }).toEqual({ code: 64, stdout: "" });
    expect(stderr).toMatch(/^threatbus: /);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  test("shortcuts and --set are checked as the configuration is: exit 78", async () => {
    for (const args of [["--set", "nonsense"], ["-m", "ftp://misp"], ["-z", "a b"]]) expect((await workshop.run([...args, "check"])).code).toBe(78);
  });
});
