import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";

const root = join(import.meta.dirname, "..");
const compilerOptions: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
};

/** The package as plain JavaScript, so that a program of its own process can use it. */
export class Workshop {
  readonly #folder: string;
  readonly #children: ChildProcessWithoutNullStreams[] = [];

  constructor() {
    const parent = join(root, "node_modules", ".cache");
    mkdirSync(parent, { recursive: true });
    this.#folder = mkdtempSync(join(parent, "program-"));
    writeFileSync(join(this.#folder, "package.json"), '{"type":"module"}');
    for (const file of readdirSync(join(root, "src"))) this.#write(file, readFileSync(join(root, "src", file), "utf8"));
  }

  /** Starts TypeScript source in a process of its own. */
  run(source: string, env: Readonly<Record<string, string>>): Program {
    const file = this.#write(`program-${this.#children.length}.ts`, source.replaceAll('"@threatbus/zmq-client"', '"./index.ts"'));
    const child = spawn(process.execPath, [file], { env: { ...process.env, ...env, NODE_OPTIONS: "" } });
    this.#children.push(child);
    return new Program(child);
  }

  clean(): void {
    for (const child of this.#children) if (child.exitCode === null) child.kill("SIGKILL");
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #write(name: string, source: string): string {
    const file = join(this.#folder, name.replace(/\.ts$/, ".js"));
    writeFileSync(file, ts.transpileModule(source, { compilerOptions, fileName: name }).outputText);
    return file;
  }
}

export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** Resolves with the exit code, or the signal's name. */
  readonly ended: Promise<number | string>;
  output = "";

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (this.output += chunk.toString()));
    this.ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal ?? "")));
  }
}
