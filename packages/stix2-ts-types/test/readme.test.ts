import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { lines } from "./readme.example.ts";

test("the README shows the example that is compiled and run here", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const example = await readFile(new URL("./readme.example.ts", import.meta.url), "utf8");
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(example);
  expect(lines).toEqual(["[ipv4-addr:value = '198.51.100.23']"]);
});
