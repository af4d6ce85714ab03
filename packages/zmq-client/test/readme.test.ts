import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { settingsOf } from "../src/settings.ts";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const [app = "", responder = ""] = Array.from(readme.matchAll(/```ts\n([^]*?)```/g), ([, code]) => code ?? "");

/** What the compiler says about a module of this package. */
function problemsIn(source: string): string[] {
  const workspace = join(root, "..", "..");
  const { config } = ts.readConfigFile(join(workspace, "tsconfig.json"), (file) => ts.sys.readFile(file)) as { config: object };
  const parsed = ts.parseJsonConfigFileContent({ ...config, include: [], files: ["."] }, ts.sys, workspace);
  const file = join(root, "test", "readme-snippet.ts");
  const host = ts.createCompilerHost(parsed.options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  const snippet = ts.createSourceFile(file, source, ts.ScriptTarget.ES2023);
  host.getSourceFile = (name, ...rest) => (name === file ? snippet : getSourceFile(name, ...rest));
  const program = ts.createProgram([file], parsed.options, host);
  const problems = program.getSemanticDiagnostics(program.getSourceFile(file));
  return problems.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
}

test("the README's programs pass the strict compiler", () => {
  expect(app).toContain("client.subscribe");
  expect(problemsIn(app)).toEqual([]);
  const frame = `import type { BusIndicator, Client } from "@threatbus/zmq-client";
    declare const client: Client;
    declare const store: { read(kind: string, since: number, options: { signal: AbortSignal }): AsyncIterable<BusIndicator> };`;
  expect(problemsIn(frame + responder)).toEqual([]);
  expect(problemsIn(app.replace("indicator.pattern", "indicator.patern"))).toHaveLength(1);
});

test("every option and its default is in the README", () => {
  const { logger: _, curve: __, ...defaults } = settingsOf({});
  for (const [option, value] of Object.entries(defaults)) {
    const shown = typeof value === "number" && value >= 1024 * 1024 ? `${value / 1024 / 1024} MiB` : `\`${JSON.stringify(value)}\``;
    expect(readme).toContain(`| \`${option}\` | ${shown}`);
  }
});
