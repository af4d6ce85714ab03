import { expect, test } from "vitest";
import { Turns } from "../src/turns.ts";

/** Work that ends when told to. */
function works(): { readonly turns: Turns; readonly begun: string[]; take(about: string): Promise<string>; end(n: number, failed?: boolean): void } {
  const turns = new Turns();
  const begun: string[] = [];
  const ends: ((failed: boolean) => void)[] = [];
  return {
    turns, begun,
    take: (about) => turns.take(about, () => new Promise((resolve, reject) => {
      begun.push(about);
      ends.push((failed) => (failed ? reject(new Error(about)) : resolve(about)));
    })),
    end: (n, failed = false) => ends[n]?.(failed),
  };
}

test("what is about different things is under way at once, begun in its order before anything is waited for", () => {
  const { turns, begun, take } = works();
  for (const about of ["a", "b", "c"]) void take(about);
  expect({ begun, crowded: turns.crowded }).toStrictEqual({ begun: ["a", "b", "c"], crowded: false });
});

test("what is about the same waits for it, failed or not, and all that came later waits too", async () => {
  const { turns, begun, take, end } = works();
  const first = take("a");
  const others = [take("a"), take("b")];
  expect(turns.crowded).toBe(true);
  end(0, true);
  await expect(first).rejects.toThrow("a");
  await expect.poll(() => begun).toStrictEqual(["a", "a", "b"]);
  expect(turns.crowded).toBe(false);
  end(2);
  end(1);
  await expect(Promise.all(others)).resolves.toStrictEqual(["a", "b"]);
});

test("what is about everything has its turn alone", async () => {
  const { begun, take, end } = works();
  for (const about of ["a", "b", "", "c"]) void take(about);
  end(0);
  end(1);
  await expect.poll(() => begun).toStrictEqual(["a", "b", ""]);
  end(2);
  await expect.poll(() => begun).toStrictEqual(["a", "b", "", "c"]);
});

test("a thousand are under way at most", async () => {
  const { turns, begun, take, end } = works();
  for (let n = 0; n <= 1_000; n++) void take(String(n));
  expect({ begun: begun.length, crowded: turns.crowded }).toStrictEqual({ begun: 1_000, crowded: true });
  end(500);
  await expect.poll(() => begun.length).toBe(1_001);
  expect(turns.crowded).toBe(false);
});
