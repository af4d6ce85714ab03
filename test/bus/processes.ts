import { fork, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { SubscriptionStats } from "@threatbus/zmq-client";
import { onTestFinished } from "vitest";
import type { Ports } from "./stand.ts";

/** An app in a process of its own, killed with the test: its signals are real. */
export interface SubscriberApp {
  readonly child: ChildProcess;
  figures(): Promise<SubscriptionStats>;
}

/** Resolves once it is subscribed to indicators. */
export async function subscriberApp(manage: number): Promise<SubscriberApp> {
  const program = fileURLToPath(new URL("subscriber-app.mjs", import.meta.url));
  // Without the runner's own flags: it runs as a user's program does, on what was built.
  const child = fork(program, [String(manage)], { stdio: ["ignore", "ignore", "inherit", "ipc"], execArgv: [] });
  onTestFinished(() => killed(child));
  await new Promise<void>((resolve, reject) => {
    child.once("message", () => resolve());
    child.once("exit", (code) => reject(new Error(`the app ended with ${code}`)));
  });
  return {
    child,
    async figures() {
      const answer = once(child, "message");
      child.send("figures");
      return ((await answer) as [SubscriptionStats])[0];
    },
  };
}

/** The built command, running a bus on these ports. Resolves once apps may join. */
export async function busProcess({ manage, pub, sub }: Ports): Promise<ChildProcess> {
  const bin = fileURLToPath(new URL("../../packages/cli/bin/threatbus.js", import.meta.url));
  const ports = Object.entries({ manage, pub, sub }).flatMap(([name, port]) => ["--set", `plugins.apps.zmq.${name}=${port}`]);
  const child = spawn(process.execPath, [bin, ...ports], { stdio: ["ignore", "pipe", "ignore"], env: { PATH: process.env["PATH"] } });
  onTestFinished(() => killed(child));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("is running")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`the bus ended with ${code}: ${said}`)));
  });
  return child;
}

/** SIGKILL, and no zombie left behind. */
export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
