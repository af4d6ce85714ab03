/** Commands from the configuration: split first, filled in after, and run without a shell, so that no indicator can add an argument. */
import { Child } from "./child.ts";
import type { Slots } from "./slots.ts";

/** What `%name` in a command stands for. */
export const placeholders = ["ioc", "matchtype"] as const;
export type Placeholder = (typeof placeholders)[number];

/** Arguments, placeholders still in them. */
export type Template = readonly [file: string, ...args: string[]];

/**
 * Splits a command as a shell does, and does nothing else a shell does: blanks separate, single quotes keep all, double quotes all but `\"` and `\\`, a
 * backslash keeps the next character. Throws an Error that says what is wrong.
 */
export function splitCommand(text: string): Template {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === "'" || character === '"') {
      const end = closing(text, at);
      if (end < 0) throw new Error(`a ${character === "'" ? "single" : "double"} quote is not closed`);
      const inner = text.slice(at + 1, end);
      word = (word ?? "") + (character === "'" ? inner : inner.replace(/\\(["\\])/g, "$1"));
      at = end;
    } else if (character === "\\") {
      if (++at === text.length) throw new Error("a backslash is the last character");
      word = (word ?? "") + text.charAt(at);
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (word !== undefined) words.push(word);
  const [file, ...args] = words;
  if (file === undefined || file === "") throw new Error("there is no program to run");
  if (/%(?:ioc|matchtype)/.test(file)) throw new Error("an indicator cannot name the program to run");
  return [file, ...args];
}

function closing(text: string, open: number): number {
  const quote = text.charAt(open);
  for (let at = open + 1; at < text.length; at++) {
    if (text.charAt(at) === quote) return at;
    if (quote === '"' && text.charAt(at) === "\\") at++;
  }
  return -1;
}

/** Puts the values inside the arguments, each of which stays one. */
export function fillCommand([file, ...args]: Template, values: Readonly<Record<Placeholder, string>>): Template {
  return [file, ...args.map((argument) => argument.replace(/%(ioc|matchtype)/g, (_, name: Placeholder) => values[name]))];
}

export interface CommandEnd {
  readonly lines: readonly string[];
  /** In words, if it did not end well: what was read until then is kept. */
  readonly failure?: string;
  /** It could not be started at all. */
  readonly missing?: true;
}

export interface CommandLimits {
  /** Milliseconds it may take. */
  readonly timeout: number;
  /** Lines taken from its output, 1 MiB each; it is ended when it writes more. */
  readonly lines: number;
  /** Shared by all commands that take their turns together. */
  readonly slots: Slots;
  readonly owner: string;
  readonly signal: AbortSignal;
}

/** Runs a command with one line of input. Never rejects. */
export function runCommand(command: Template, input: string, limits: CommandLimits): Promise<CommandEnd> {
  return limits.slots.with(() => run(command, input, limits));
}

async function run([file, ...args]: Template, input: string, { timeout, lines: most, owner, signal }: CommandLimits): Promise<CommandEnd> {
  const child = new Child({ file, args, owner });
  let cut: string | undefined;
  const end = (why: string): void => {
    cut ??= why;
    void child.stop();
  };
  const timer = setTimeout(() => end(`it took longer than ${timeout / 1_000} s`), timeout);
  const abort = (): void => end("the bridge stops");
  signal.addEventListener("abort", abort);
  if (signal.aborted) abort();
  const lines: string[] = [];
  try {
    void child.write(`${input}\n`).then(() => child.endInput());
    for await (const line of child.lines(1024 * 1024, () => end("a line of its output is longer than 1 MiB"))) {
      if (lines.length === most) end(`it wrote more than ${most} lines`);
      else if (line.trim() !== "") lines.push(line);
    }
    const { code, signal: killed, failure, stderr } = await child.exit;
    if (failure !== undefined) return { lines, failure: `it cannot be started (${failure})`, missing: true };
    const words = stderr === "" ? "" : `: ${JSON.stringify(stderr.slice(-500))}`;
    if (cut !== undefined) return { lines, failure: cut };
    if (killed !== undefined) return { lines, failure: `${killed} ended it${words}` };
    return code === 0 ? { lines } : { lines, failure: `it ended with exit code ${code}${words}` };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    await child.stop();
  }
}
