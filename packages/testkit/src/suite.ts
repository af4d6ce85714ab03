import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";

/** Tests by name; each makes what it needs out of the subject and leaves nothing behind. */
export type Tests<Name extends string, Subject> = Readonly<Record<Name, (subject: Subject) => Promise<void>>>;

export interface Registered<Name extends string> {
  readonly name: string;
  readonly cannot?: Readonly<Partial<Record<Name, string>>>;
}

/** Registers the tests; those that cannot pass are skipped under a name that says why, and the reasons are printed. */
export function register<Name extends string, Subject extends Registered<Name>>(
  title: string,
  tests: Tests<Name, Subject>,
  subject: Subject,
  timeout: number,
): void {
  const cannot = new Map(Object.entries<string | undefined>(subject.cannot ?? {}));
  const unknown = [...cannot.keys()].filter((name) => !Object.hasOwn(tests, name));
  if (unknown.length > 0) throw new RangeError(`${subject.name}: no such test: ${unknown.join(", ")}`);
  describe(`${title}: ${subject.name}`, () => {
    for (const [name, run] of Object.entries<Tests<Name, Subject>[Name]>(tests)) {
      const reason = cannot.get(name);
      if (reason === undefined) it(name, () => run(subject), timeout);
      else {
        process.stdout.write(`${subject.name} cannot: ${name} (${reason})\n`);
        it.skip(`${name} (cannot: ${reason})`, () => undefined);
      }
    }
  });
}

/** Waits for `work`, but not for ever. @throws Error naming `what` when it takes longer than `patience` ms */
export async function within<T>(work: Promise<T>, patience: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not done after ${patience} ms`)), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `read` gives what is expected. @throws AssertionError with the difference after `patience` ms */
export async function eventually(read: () => unknown, expected: unknown, patience: number): Promise<void> {
  await vi.waitFor(() => expect(read()).toEqual(expected), { timeout: patience, interval: 5 });
}

/** What a frame's id looks like: a UUID of version 7. */
export function frameId(): string {
  const id = randomUUID();
  return `${id.slice(0, 14)}7${id.slice(15)}`;
}
