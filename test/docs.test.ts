import { existsSync } from "node:fs";
import { join } from "node:path";
import { createBus } from "@threatbus/core";
import { inmem } from "@threatbus/inmem";
import ts from "typescript";
import { describe, expect, it } from "vitest";
import { exitCodeMeanings } from "../packages/cli/src/exit-codes.ts";
import { prometheusText } from "../packages/cli/src/prometheus.ts";
import { fleet, optionsOf } from "./options.ts";
import { published, plugins, readText, root } from "./workspace.ts";

const deployment = readText("docs", "deployment.md");

describe("docs/deployment.md", () => {
  it("has the exit codes of the command", () => {
    const section = deployment.slice(deployment.indexOf("## Exit codes"), deployment.indexOf("## Metrics"));
    const rows = [...section.matchAll(/^\| (\d.*?) \| (.*) \|$/gm)].map(([, code, meaning]) => [code, meaning]);
    expect(rows).toEqual(exitCodeMeanings);
  });

  it("names metrics that there are", () => {
    const bus = createBus({ backbones: [inmem()] });
    const text = prometheusText(bus.stats(), { logDropped: 0, memory: 0, loopDelay: 0 });
    const named = [...deployment.matchAll(/`(threatbus_[a-z_]*[a-z])(?:\{.*?\})?`/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter((name) => !text.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it("has the ports of the zmq app", () => {
    const ports = fleet.filter(({ plugin }) => plugin.name === "zmq").flatMap(({ plugin }) => optionsOf(plugin)).filter(({ path }) => ["manage", "pub", "sub"].includes(path));
    expect(ports.map(({ path, default: port }) => deployment.includes(`| ${String(port)} | \`plugins.apps.zmq.${path}\` |`))).toEqual([true, true, true]);
  });
});

describe("README.md", () => {
  it("has every published package in its box", () => {
    const named = [...readText("README.md").matchAll(/^\| \[`([^`]+)`\]\(([^)]+)\)/gm)].map(([, name, path]) => [name, path?.replace(/\/README\.md$/, "")]);
    expect(named.sort()).toEqual(published.map(({ name, path }) => [name, path]).sort());
  });
});

/** Code that begins with an import is meant to be whole; the rest are fragments. */
const whole = ["README.md", "docs/contract.md", "docs/errors.md", "packages/core/README.md", ...plugins.map(({ path }) => `${path}/README.md`)]
  .filter((path) => existsSync(join(root, path)))
  .flatMap((path) => [...readText(path).matchAll(/```ts\n(import [\s\S]*?)```/g)].map(([, code = ""], n) => ({ name: `${path} ${n + 1}`, code })));

it("shows code that compiles", () => {
  expect(whole.length).toBeGreaterThan(4);
  const { options } = ts.parseJsonConfigFileContent(ts.readConfigFile(join(root, "tsconfig.json"), (file) => ts.sys.readFile(file)).config, ts.sys, root);
  const files = new Map(whole.map(({ code }, n) => [join(root, "test", `snippet-${n}.ts`), code]));
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (file) => files.has(file) || fileExists(file);
  host.readFile = (file) => files.get(file) ?? readFile(file);
  host.getSourceFile = (file, version) => {
    const code = files.get(file);
    return code === undefined ? getSourceFile.call(host, file, version) : ts.createSourceFile(file, code, version);
  };
  const program = ts.createProgram([...files.keys()], { ...options, noEmit: true }, host);
  const problems = [...files.keys()].flatMap((file, n) =>
    [...program.getSyntacticDiagnostics(program.getSourceFile(file)), ...program.getSemanticDiagnostics(program.getSourceFile(file))]
      .map(({ messageText }) => `${whole[n]?.name}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`));
  expect(problems).toEqual([]);
});
