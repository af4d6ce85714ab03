import { existsSync, readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { expect, it } from "vitest";
import { filesBelow, packages, root, typescriptBelow } from "./workspace.ts";

const linesOf = (text: string): number => text.trimEnd().split("\n").length;
const sources = packages.flatMap(({ folder }) => typescriptBelow(join(folder, "src"))).map((file) => ({ file: relative(root, file), lines: linesOf(readFileSync(file, "utf8")) }));

it("has no source file above 300 lines, and one in ten above 240 at most", () => {
  expect(sources.length).toBeGreaterThan(50);
  expect(sources.filter(({ lines }) => lines > 300)).toEqual([]);
  expect(sources.filter(({ lines }) => lines > 240).length / sources.length).toBeLessThanOrEqual(0.1);
});

it("names files for their subject", () => {
  expect(sources.map(({ file }) => file).filter((file) => /(^|\/)(utils?|helpers?|common|misc)(\/|\.ts$)/.test(file)).filter((file) => !file.startsWith("packages/stix2-ts-types/"))).toEqual([]);
});

/** Text of the repository: what is not text, and the lockfile, left out. */
const texts = filesBelow(root)
  .filter((file) => /\.(ts|mjs|js|json|md|ya?ml|sh|c|h|txt|ndjson)$|\/(run|LICENSE|\.npmrc|\.gitignore)$/.test(file) && !file.endsWith("pnpm-lock.yaml"))
  .map((file) => ({ file: relative(root, file), text: readFileSync(file, "utf8") }));

it("names no address of a package registry", () => {
  const address = new RegExp(["registry", "\\.npmjs\\.org|pypi", "\\.org/simple|files\\.python", "hosted\\.org|^registry\\s*="].join(""), "m");
  expect(texts.filter(({ text }) => address.test(text)).map(({ file }) => file)).toEqual([]);
  expect(readFileSync(join(root, "pnpm-lock.yaml"), "utf8")).not.toMatch(/tarball:\s*https?:/);
});

it("names no path of the machine it was written on", () => {
  const places = [root, homedir(), tmpdir()].filter((place) => place.length > 1).map((place) => `${place}/`);
  const named = texts.flatMap(({ file, text }) => places.filter((place) => new RegExp(`(?<![\\w./-])${place}\\w`).test(text)).map((place) => `${file}: ${place}`));
  expect(named).toEqual([]);
});

it("has no link in its documentation that leads nowhere", () => {
  const dead = texts.filter(({ file }) => file.endsWith(".md")).flatMap(({ file, text }) =>
    [...text.replace(/```[\s\S]*?```/g, "").matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link = ""]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => !leads(join(root, dirname(file)), link, text))
      .map((link) => `${file}: ${link}`),
  );
  expect(dead).toEqual([]);
});

function leads(folder: string, link: string, from: string): boolean {
  const [path = "", anchor] = link.split("#");
  const target = join(folder, path);
  if (path !== "" && !existsSync(target)) return false;
  if (anchor === undefined) return true;
  return anchors(path === "" ? from : readFileSync(target, "utf8")).includes(anchor);
}

/** Headings as they are linked to: lower case, dashes for spaces, marks left out. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => heading.toLowerCase().replace(/[^\w\- ]/g, "").replace(/ /g, "-"));
}
