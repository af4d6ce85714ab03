import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const here = dirname(fileURLToPath(import.meta.url));
const fixtures = join(here, "fixtures");
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const reporter = join(here, "..", "..", "scripts", "reporter.mjs");

/** What `npm test` shows of a file that needs RabbitMQ, and its exit code. */
function run(env: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const { PATH, HOME } = process.env;
    const child = execFile(process.execPath, [vitest, "run", "--root", fixtures, "--reporter", reporter], { env: { PATH, HOME, NO_COLOR: "1", ...env } }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: `${stdout}${stderr}`.trimEnd() });
    });
  });
}

const none = { THREATBUS_TEST_WITHOUT_RABBITMQ: "the machine is too small" };

describe.concurrent("a file that needs a broker", () => {
  it("skips by name what needs it, with the reason, and runs the rest", async () => {
    const { code, output } = await run(none);
    expect(output).toContain("skipped: publishing (no RabbitMQ: the machine is too small) > is confirmed\n");
    expect(output.split("\n").at(-1)).toBe("1 passed, 0 failed, 1 skipped");
    expect(code).toBe(0);
  });

  it("fails in CI, with the reason", async () => {
    const { code, output } = await run({ ...none, CI: "true" });
    expect(output).toContain("no RabbitMQ for these tests, and CI is set: the machine is too small");
    expect(output.split("\n").at(-1)).toBe("0 passed, 1 failed");
    expect(code).toBe(1);
  });

  it("uses the broker that the environment names, whatever else there is", async () => {
    const { output } = await run({ ...none, CI: "true", THREATBUS_TEST_RABBITMQ: "amqp://somewhere" });
    expect(output.split("\n").at(-1)).toBe("2 passed, 0 failed");
  });
});
