/**
 * `npm start`: the main job on embedded defaults. `npm start -- --once` ends when the feed is through. With any other
 * argument, e.g. `npm start -- -c my.yaml`, it is the threatbus command.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, install } from "./bootstrap.mjs";
import { root } from "./workspace.mjs";

const args = process.argv.slice(2);
const demo = args.every((argument) => argument === "--once");
const program = demo ? "examples/quickstart/dist/main.js" : "packages/cli/bin/threatbus.js";

install();
build();
const child = spawn(process.execPath, [join(root, program), ...args], { stdio: "inherit" });
// The terminal sends Ctrl-C to the child as well; this process only waits for it to end well.
process.on("SIGINT", () => undefined);
process.on("SIGTERM", () => child.kill("SIGTERM"));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 143);
});
