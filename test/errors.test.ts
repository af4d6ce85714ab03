import { errorCodes } from "@threatbus/core";
import { clientErrorCodes } from "@threatbus/zmq-client";
import { expect, it } from "vitest";
import { readText } from "./workspace.ts";

const sections = new Map(
  readText("docs", "errors.md").split(/^### /m).slice(1).map((section) => {
    const [code = "", ...rest] = section.split("\n");
    return [code.trim(), rest.join("\n").replace(/\s+/g, " ")];
  }),
);

it("documents every code of core, and none besides", () => {
  expect([...sections.keys()].sort()).toEqual(Object.keys(errorCodes).sort());
});

it.each(Object.entries(errorCodes))("%s has its meaning, a cause and what to do", (code, meaning) => {
  const text = sections.get(code) ?? "";
  expect(text.toLowerCase()).toContain(`*${meaning.toLowerCase()}.*`);
  expect(text).toMatch(/ Do: \S/);
});

it("documents every reason for which content is refused", () => {
  const declared = /RefusalReason =\s*([^;]+);/.exec(readText("packages", "core", "src", "errors.ts"))?.[1] ?? "";
  const reasons = [...declared.matchAll(/"(\w+)"/g)].map(([, reason]) => reason);
  const documented = [...(sections.get("MESSAGE_REFUSED") ?? "").matchAll(/\| `(\w+)` \|/g)].map(([, reason]) => reason);
  expect(documented).toEqual(reasons);
});

it("documents every code of the client, and none besides", () => {
  const text = readText("packages", "zmq-client", "README.md");
  const sentence = /that has a `code`: ([^;]*);/.exec(text)?.[1] ?? "";
  expect([...sentence.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code).sort()).toEqual(Object.keys(clientErrorCodes).sort());
});
