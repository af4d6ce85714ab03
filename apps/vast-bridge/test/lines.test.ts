import fc from "fast-check";
import { expect, it } from "vitest";
import { linesOf } from "../src/lines.ts";

async function read(chunks: readonly Buffer[], longest = 1_000): Promise<{ lines: string[]; long: number[] }> {
  const lines: string[] = [], long: number[] = [];
  for await (const line of linesOf(chunks, longest, (bytes) => long.push(bytes))) lines.push(line);
  return { lines, long };
}

/** One buffer, cut at every given place. */
function cut(whole: Buffer, places: readonly number[]): Buffer[] {
  const bounds = [0, ...places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return bounds.slice(1).map((end, i) => whole.subarray(bounds[i], end));
}

it("gives the same lines however they arrive", async () => {
  const line = fc.string({ unit: "binary" }).map((text) => Buffer.from(text.replace(/[\r\n]/g, "")).toString());
  await fc.assert(
    fc.asyncProperty(fc.array(line), fc.array(fc.nat()), fc.constantFrom("\n", "\r\n"), async (lines, places, end) => {
      const whole = Buffer.from(lines.map((each) => each + end).join(""));
      expect((await read(cut(whole, places), 10_000)).lines).toEqual(lines);
    }),
  );
});

it("takes a last line without its end", async () => {
  expect((await read([Buffer.from("a\nb")])).lines).toEqual(["a", "b"]);
});

it("leaves out lines that are too long, and says so", async () => {
  const chunks = ["short\n", "x".repeat(600), "y".repeat(600), "\nafter\n", "z".repeat(2_000)].map((text) => Buffer.from(text));
  expect(await read(chunks)).toEqual({ lines: ["short", "after"], long: [1_200, 2_000] });
});

it("replaces what is not UTF-8", async () => {
  expect((await read([Buffer.from([0x61, 0xff, 0x62, 0x0a])])).lines).toEqual(["a\ufffdb"]);
});
