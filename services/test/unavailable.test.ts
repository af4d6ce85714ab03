import { expect, it } from "vitest";
import { quoted } from "../src/unavailable.ts";

it("quotes the line that says what is wrong", () => {
  expect(quoted({ stdout: "Reading package lists...\n", stderr: "W: old lists\nE: Unable to locate package rabbitmq-server\n" }, /^E: .*/m)).toBe("E: Unable to locate package rabbitmq-server");
});

it("quotes the last line otherwise, without colours, or what Node says", () => {
  expect(quoted({ stdout: "one\n", stderr: "" }, /^E: .*/m)).toBe("one");
  expect(quoted({ stdout: "", stderr: "\u001b[31mred\u001b[m\n" }, /red/)).toBe("red");
  expect(quoted(new Error("spawn mvn ENOENT"), /^E: .*/m)).toBe("spawn mvn ENOENT");
  expect(quoted(Object.assign(new Error("killed"), { killed: true }), /^E: .*/m)).toBe("it took too long");
});

it("keeps both ends of a long line", () => {
  const text = quoted({ stdout: `${"begin ".repeat(50)}${"end ".repeat(100)}cause` }, /^E: .*/m);
  expect(text).toMatch(/^begin .* … .*cause$/);
  expect(text.length).toBeLessThan(410);
});
