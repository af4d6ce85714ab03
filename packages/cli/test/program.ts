import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server } from "node:net";
import { freePorts as ports } from "@threatbus/testkit";
import { tmpdir } from "node:os";
import { join } from "node:path";

const bin = join(import.meta.dirname, "..", "bin", "threatbus.js");

/** Where core is built, for plugins written by a test. */
export const coreUrl: string = new URL("../../core/dist/index.js", import.meta.url).href;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The built command in a process of its own. */
export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[], folder: string, input: string | undefined, env: Readonly<Record<string, string>>) {
    this.child = spawn(process.execPath, [bin, ...args], { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, ...env }, stdio: "pipe" });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.child.stdin?.on("error", () => undefined).end(input);
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => resolve({ code, signal })));
  }

  /** The entries of a log in JSON. */
  get entries(): Readonly<Record<string, unknown>>[] {
    return this.stderr.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  entry(text: string): Readonly<Record<string, unknown>> | undefined {
    return this.entries.find((entry) => entry["text"] === text);
  }
}

export interface Ports {
  readonly manage: number;
  readonly pub: number;
  readonly sub: number;
}

/** A folder of its own, the programs started in it, and their ends. */
export class Workshop {
  readonly folder: string = mkdtempSync(join(tmpdir(), "threatbus-cli-"));
  readonly #programs: Program[] = [];
  readonly #servers: Server[] = [];

  write(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return name;
  }

  start(args: readonly string[], { input, env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {}): Program {
    const program = new Program(args, this.folder, input, env);
    this.#programs.push(program);
    return program;
  }

  async run(args: readonly string[], options: { input?: string; env?: Readonly<Record<string, string>> } = {}): Promise<Ended & { stdout: string; stderr: string }> {
    const program = this.start(args, options);
    return { ...(await program.ended), stdout: program.stdout, stderr: program.stderr };
  }

  /** Takes a port, so that nobody else can. */
  async occupy(port = 0): Promise<number> {
    const server = createServer();
    this.#servers.push(server);
    await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, "127.0.0.1", resolve));
    return (server.address() as AddressInfo).port;
  }

  async clean(): Promise<void> {
    for (const { child } of this.#programs) child.kill("SIGKILL");
    await Promise.all(this.#programs.map(({ ended }) => ended));
    for (const server of this.#servers) server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function freePorts(): Promise<Ports> {
  const [manage = 0, pub = 0, sub = 0] = await ports(3);
  return { manage, pub, sub };
}

/** Arguments that put a bus on these ports. */
export function on({ manage, pub, sub }: Ports): string[] {
  return [["manage", manage], ["pub", pub], ["sub", sub]].flatMap(([name, port]) => ["--set", `plugins.apps.zmq.${name}=${port}`]);
}

export function indicator(number: number): { readonly type: "indicator"; readonly id: `indicator--${string}`; readonly [key: string]: unknown } {
  return {
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    created: "2026-01-01T00:00:00Z",
    modified: "2026-01-01T00:00:00Z",
    valid_from: "2026-01-01T00:00:00Z",
    pattern_type: "stix",
    pattern: `[ipv4-addr:value = '10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}']`,
  };
}
