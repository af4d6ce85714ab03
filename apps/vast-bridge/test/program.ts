/** The bridge and a bus, as built, in processes of their own. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePorts } from "@threatbus/testkit";
import { connect } from "@threatbus/zmq-client";
import type { BusIndicator, Client, Timestamp } from "@threatbus/zmq-client";
import { expect } from "vitest";
import type { Report } from "../src/sighting.ts";

const bridge = join(import.meta.dirname, "..", "bin", "vast-threatbus.js");
const bus = join(import.meta.dirname, "..", "..", "..", "packages", "cli", "bin", "threatbus.js");

export const eventually = <Value>(read: () => Value): ReturnType<typeof expect.poll<Value>> => expect.poll(read);

export class Program {
  readonly child: ChildProcess;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  stdout = "";
  stderr = "";

  constructor(file: string, args: readonly string[], folder: string, env: Readonly<Record<string, string>> = {}, input?: string) {
    this.child = spawn(process.execPath, [file, ...args], { cwd: folder, env: { PATH: process.env["PATH"], HOME: folder, ...env }, stdio: "pipe" });
    this.child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    this.child.stdin?.on("error", () => undefined).end(input);
    this.ended = new Promise((resolve) => this.child.on("close", (code, signal) => resolve({ code, signal })));
  }

  kill(signal: NodeJS.Signals): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** A folder, the ports of a bus, the programs started, and clients that know what went over the bus. */
export class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), "threatbus-bridge-"));
  readonly ports: readonly number[];
  readonly #programs: Program[] = [];
  readonly #clients: Client[] = [];

  private constructor(ports: readonly number[]) {
    this.ports = ports;
  }

  static async make(): Promise<Site> {
    return new Site(await freePorts(3));
  }

  async bus(): Promise<Program> {
    const set = ["manage", "pub", "sub"].flatMap((name, n) => ["--set", `plugins.apps.zmq.${name}=${this.ports[n]}`]);
    // In a folder of its own: it would take the bridge's configuration for its own.
    const folder = join(this.folder, "bus");
    mkdirSync(folder, { recursive: true });
    const program = this.#add(new Program(bus, set, folder));
    await eventually(() => program.stdout).toContain("is running");
    return program;
  }

  /** @param config the file, as JSON, which YAML is too */
  bridge(config: object, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}, input?: string): Program {
    writeFileSync(join(this.folder, "config.yaml"), JSON.stringify({ threatbus: `127.0.0.1:${this.ports[0]}`, ...config }));
    return this.#add(new Program(bridge, args, this.folder, env, input));
  }

  async running(program: Program): Promise<Program> {
    await eventually(() => program.stderr).toContain("is running");
    await eventually(() => program.stderr).toMatch(/the bus state="(?:re)?subscribed"/);
    return program;
  }

  /** A client of the bus, and the sightings it sees. */
  async client(): Promise<{ readonly client: Client; readonly sightings: Report[] }> {
    const client = await connect({ manage: this.ports[0] as number, linger: 0 });
    this.#clients.push(client);
    const subscription = await client.subscribe("stix2/sighting");
    const sightings: Report[] = [];
    void (async () => {
      for await (const message of subscription) if (message.type === "sighting") sightings.push(message.body as Report);
    })();
    return { client, sightings };
  }

  async clean(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all(this.#programs.map((program) => program.kill("SIGKILL")));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #add(program: Program): Program {
    this.#programs.push(program);
    return program;
  }
}

export function indicator(number: number, pattern: string, more: Partial<BusIndicator> = {}): BusIndicator {
  const now = new Date().toISOString() as Timestamp;
  return {
    type: "indicator",
    spec_version: "2.1",
    id: `indicator--00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    created: now,
    modified: now,
    valid_from: now,
    pattern_type: "stix",
    pattern,
    ...more,
  };
}
