import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Workshop } from "./program.ts";

let workshop: Workshop;
beforeEach(() => {
  workshop = new Workshop();
});
afterEach(() => workshop.clean());

/** A plugin whose probe runs this. */
function plugin(name: string, probe: string): void {
  workshop.write(
    `${name}.mjs`,
    `export default Object.defineProperty(Object.assign((options) => ({
      kind: "app", name: "${name}",
      create: (host) => ({ start() { throw new Error("started"); }, stop() {}, async *probe(signal) { ${probe} } }),
    }), { kind: "app", contract: 1 }), "name", { value: "${name}" });`,
  );
}

function configure(...names: readonly string[]): string {
  return workshop.write("config.yaml", `plugins:\n  backbones: {inmem: {}}\n  apps:\n${names.map((name) => `    ${name}: {package: ./${name}.mjs, api_key: s3cret-value}\n`).join("")}`);
}

describe("doctor", () => {
  test("tells what probes find, starts nothing, and ends with 0 when nothing is wrong", async () => {
    plugin("fine", 'yield { status: "ok", text: "it is there" }; yield { status: "warning", text: "slow", hint: "feed it" };');
    configure("fine");
    const { code, stdout, stderr } = await workshop.run(["doctor"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toBe("inmem\n  nothing to look at\nfine\n  ok       it is there\n  warning  slow\n           feed it\nno problem, 1 to think about\n");
  });

  test("ends with 1 for problems, failures among them, without secrets and control characters", async () => {
    plugin("broken", 'yield { status: "problem", text: "no \\u001b[31mentry with s3cret-value", hint: "key=abc" }; throw Object.assign(new Error("fell over"), { hint: "stand it up" });');
    plugin("next", 'yield { status: "ok", text: "goes on" };');
    configure("broken", "next");
    const { code, stdout } = await workshop.run(["doctor", "config.yaml"]);
    expect(code).toBe(1);
    expect(stdout).toContain("problem  no \\u{1b}[31mentry with ***\n");
    expect(stdout).toContain("problem  fell over\n           stand it up\n");
    expect(stdout).toContain("next\n  ok       goes on\n2 problems\n");
  });

  test("ends the waiting after --wait; --json has a line for each finding", async () => {
    plugin("waiting", 'yield { status: "ok", text: "listening" }; await new Promise((resolve) => signal.addEventListener("abort", resolve)); yield { status: "problem", text: "nothing came" };');
    configure("waiting");
    const { code, stdout } = await workshop.run(["doctor", "--json", "--wait", "0.1"]);
    expect(code).toBe(1);
    expect(stdout.trimEnd().split("\n").map((line) => JSON.parse(line) as unknown)).toEqual([
      { plugin: "waiting", kind: "app", status: "ok", text: "listening" },
      { plugin: "waiting", kind: "app", status: "problem", text: "nothing came" },
    ]);
  });

  test("a configuration with problems is told as ever: 78", async () => {
    configure("absent");
    expect(await workshop.run(["doctor"])).toMatchObject({ code: 78, stdout: "" });
  });
});
