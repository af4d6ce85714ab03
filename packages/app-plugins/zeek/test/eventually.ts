import { expect } from "vitest";

/** Waits until what `read` gives is what is expected. */
export async function eventually(read: () => unknown, expected: unknown): Promise<void> {
  await expect.poll(read, { interval: 5 }).toEqual(expected);
}

/** A test's size, times `THREATBUS_TEST_SCALE`. */
export function scaled(runs: number): number {
  return Math.ceil(runs * Number(process.env["THREATBUS_TEST_SCALE"] ?? 1));
}
