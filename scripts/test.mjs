/**
 * `npm test`: installs, checks types and style, builds, runs every test of every package. Ends with `N passed, N failed`. Meanwhile it
 * starts the brokers that tests share; the environment may name some that are there already (`npm run services` says how).
 * `--long` (npm run test:long) runs the same tests with larger numbers: THREATBUS_TEST_SCALE times as many, default 50.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, install, say } from "./bootstrap.mjs";
import { root } from "./workspace.mjs";

const long = process.argv.includes("--long");
const env = { ...process.env, NO_COLOR: "1", ...(long ? { THREATBUS_TEST_SCALE: process.env.THREATBUS_TEST_SCALE ?? "50" } : {}) };
const began = Date.now();
let running;

// Brokers end with this process, those still starting included, and its exit removes what they leave.
for (const [signal, number] of [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]]) {
  process.on(signal, () => {
    running?.kill(signal);
    process.exit(128 + number);
  });
}

install();
build();
const { shareBrokers } = await import("../services/dist/index.js");
const starting = shareBrokers(say);
starting.catch(() => undefined);
await step("types", ["node_modules/typescript/bin/tsc", "--noEmit", "-p", "tsconfig.json"]);
await step("style", ["node_modules/eslint/bin/eslint.js", ".", "--max-warnings", "0"]);
build({ declarations: true });
const brokers = await starting.catch((thrown) => end(thrown.message));
for (const sentence of brokers.missing) say(`${sentence}\n  Tests that need it are ${process.env.CI ? "not skipped, since CI is set" : "skipped"}.`);
if (brokers.missing.length > 0 && process.env.CI) end("no run without brokers in CI");
const status = await node(
  [join(root, "node_modules/vitest/vitest.mjs"), "run", "--config", "vitest.workspace.ts", "--reporter", join(root, "scripts/reporter.mjs")],
  brokers.variables,
);
await brokers.stop();
process.exit(status);

async function step(name, args) {
  say(`checking ${name}`);
  if ((await node(args)) !== 0) end(`${name}: see above (${Math.round((Date.now() - began) / 1000)} s)`);
}

/** Runs a program of Node's in the root; returns its exit code. */
function node(args, variables = {}) {
  return new Promise((resolve, reject) => {
    running = spawn(process.execPath, args, { cwd: root, env: { ...env, ...variables }, stdio: "inherit" });
    running.on("error", reject);
    running.on("exit", (code) => resolve(code ?? 1));
  });
}

function end(why) {
  say(why);
  process.stdout.write("0 passed, 1 failed\n");
  process.exit(1);
}
