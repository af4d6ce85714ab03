import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { StixObject } from "stix2-ts-types";
import type { misp } from "../src/index.ts";
import { atEnd } from "./stand.ts";

type Options = NonNullable<Parameters<typeof misp>[0]>;

export interface BusProcess {
  readonly pid: number;
  /** `"running"`, or why it does not start. */
  readonly state: unknown;
  publish(object: StixObject): void;
  /** SIGKILL; resolves when it is dead. */
  kill(): Promise<void>;
}

/** A bus with one plugin or several, as they were built, in a process of its own. */
export async function busProcess(options: Options | readonly Options[]): Promise<BusProcess> {
  // Without the runner's own flags: it runs as a user's program does.
  const child = fork(fileURLToPath(new URL("bus-process.mjs", import.meta.url)), [JSON.stringify(options)], { execArgv: [] });
  const exited = once(child, "exit");
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
  };
  atEnd(kill);
  const [state] = (await Promise.race([once(child, "message"), exited])) as [unknown];
  return { pid: child.pid ?? 0, state, publish: (object) => void child.send(object), kill };
}
