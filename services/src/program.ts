/** A broker's program: started until it answers, killed, paused, started again. Its output goes to a file. */
import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { removeFolder } from "./folder.ts";
import { freeze } from "./processes.ts";
import type { Service } from "./service.ts";

export interface Command {
  /** For messages. */
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** Standard output and standard error are appended to it. */
  readonly log: string;
  /** Whether it answers its clients; asked every 50 ms. */
  readonly answers: () => Promise<boolean>;
}

/** Milliseconds a broker may take to answer, or to end after SIGTERM. On an idle machine it takes 3 s and 2 s. */
const patience = 180_000;

export class Program {
  readonly #command: Command;
  #child: ChildProcess | undefined;

  constructor(command: Command) {
    this.#command = command;
  }

  /** Throws if it does not run. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.#command.name} does not run`);
    return pid;
  }

  /** Resolves when it answers. Otherwise it is ended, and the error quotes the end of its log. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error(`${this.#command.name} runs already`);
    const { name, answers } = this.#command;
    const child = launch(this.#command);
    this.#child = child;
    let failure: string | undefined;
    const ended = (why: string): void => {
      failure ??= why;
      if (this.#child === child) this.#child = undefined;
    };
    child.once("error", ({ message }) => ended(message));
    child.once("exit", (code, signal) => ended(`it ended with ${signal ?? `exit code ${code}`}`));
    const deadline = performance.now() + patience;
    while (!(await answers())) {
      if (failure === undefined && performance.now() > deadline) failure = `no answer within ${patience / 1000} s`;
      if (failure !== undefined) {
        await this.kill();
        throw new Error(`${name} did not start: ${failure}\n${this.logTail()}`);
      }
      await pause(50);
    }
  }

  /** SIGKILL; resolves when it is dead. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM; resolves when it has ended. One that hangs is killed in the end. */
  async terminate(): Promise<void> {
    const timer = setTimeout(() => void this.kill(), patience);
    await this.#end("SIGTERM");
    clearTimeout(timer);
  }

  /** Its connections stay, and nobody answers. */
  pause(): void {
    freeze(this.pid);
  }

  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** The last lines of what it printed. Erlang says what is wrong first, and then 40 lines more. */
  logTail(): string {
    return readFileSync(this.#command.log, "utf8").trimEnd().split("\n").slice(-80).join("\n");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.ref();
    const ended = once(child, "exit");
    child.kill(signal);
    // A process that is paused takes SIGTERM only when it goes on.
    child.kill("SIGCONT");
    await ended;
  }
}

/** What a service does by its program alone. */
export function controlsOf(program: Program, folder: string): Pick<Service, "start" | "kill" | "terminate" | "pause" | "resume" | "stop"> {
  return {
    start: () => program.start(),
    kill: () => program.kill(),
    terminate: () => program.terminate(),
    pause: () => program.pause(),
    resume: () => program.resume(),
    async stop() {
      await program.kill();
      removeFolder(folder);
    },
  };
}

/**
 * Starts it in a session of its own, so that Ctrl-C in the terminal does not reach it. It keeps this process from ending no more than a
 * timer that was unref'd; when this process ends, however that comes about, the kernel kills it (`setpriv` is part of util-linux and becomes
 * the program: the process id stays).
 */
export function launch({ file, args, env, folder, log }: Omit<Command, "name" | "answers">): ChildProcess {
  const output = openSync(log, "a");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", file, ...args], { cwd: folder, env, detached: true, stdio: ["ignore", output, output] });
  closeSync(output);
  child.unref();
  return child;
}
