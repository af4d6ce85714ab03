/**
 * `npm test`: installs, checks types and style, builds, runs every test of every package. Ends with `N passed, N failed`.
 * `--long` (npm run test:long) runs the same tests with larger numbers: THREATBUS_TEST_SCALE times as many, default 50.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build, install, say } from "./bootstrap.mjs";
import { root } from "./workspace.mjs";

const long = process.argv.includes("--long");
const env = { ...process.env, NO_COLOR: "1", ...(long ? { THREATBUS_TEST_SCALE: process.env.THREATBUS_TEST_SCALE ?? "50" } : {}) };

const began = Date.now();
install();
step("types", ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json"]);
step("style", ["node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0"]);
build({ declarations: true });
const tests = spawnSync(
  process.execPath,
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", "vitest.workspace.ts", "--reporter", join(root, "scripts/reporter.mjs"),
    ...(long ? ["--testTimeout", "3600000"] : [])],
  { cwd: root, env, stdio: "inherit" },
);
process.exitCode = tests.status ?? 1;

function step(name, args) {
  say(`checking ${name}`);
  const result = spawnSync(process.execPath, args, { cwd: root, env, stdio: "inherit" });
  if (result.status === 0) return;
  say(`${name}: see above (${Math.round((Date.now() - began) / 1000)} s)`);
  process.stdout.write("0 passed, 1 failed\n");
  process.exit(1);
}
