import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished } from "vitest";
import { type Options } from "./hosts.ts";

/** A host in a process of its own, so that its death is real. */
export interface HostProgram {
  /** Ids of what was delivered there, told before it was acknowledged. */
  readonly got: readonly string[];
  /** Ids of what it published and Kafka answered for. */
  readonly acked: readonly string[];
  readonly ended: boolean;
  /** Resolves when it has got as many, and published as many if it publishes. */
  until(count: number): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
}

export async function hostProgram(options: Options, { publishes = true }: { readonly publishes?: boolean } = {}): Promise<HostProgram> {
  const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "threatbus-kafka-"));
  const told = join(folder, "told");
  const child: ChildProcess = fork(here("host-process.ts"), [told, JSON.stringify(options), String(publishes)], {
    execArgv: ["--conditions=@threatbus/source", "--import", here("typescript-loader.mjs")],
    env: { PATH: process.env["PATH"] },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const closed = once(child, "close");
  let ended = false;
  void closed.then(() => (ended = true));
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await closed;
  };
  onTestFinished(async () => {
    await kill();
    rmSync(folder, { recursive: true });
  });
  const lines = (sign: "-" | "+"): string[] => readFileSync(told, "utf8").split("\n").slice(0, -1).filter((line) => line.startsWith(sign)).map((line) => line.slice(1));
  await Promise.race([once(child, "message"), closed.then(() => Promise.reject(new Error("the host ended before it ran")))]);
  return {
    get got() {
      return lines("-");
    },
    get acked() {
      return lines("+");
    },
    get ended() {
      return ended;
    },
    until: (count) => expect.poll(() => lines("-").length >= count && (!publishes || lines("+").length >= count)).toBe(true),
    kill,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}
