import { expect } from "vitest";

/** Asks again until it holds: machines differ, so the limit is far off. */
export function eventually<Value>(read: () => Value | Promise<Value>): ReturnType<typeof expect.poll<Value>> {
  return expect.poll(read, { timeout: 15_000 });
}
