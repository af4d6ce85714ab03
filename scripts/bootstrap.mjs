/** Gets a fresh clone ready: dependencies, then the build. Does nothing that was done already. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, writeFileSync, existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { packages, root } from "./workspace.mjs";

const cache = join(root, "node_modules", ".cache", "threatbus");

/** Installs what the lockfile says, with the pnpm that package.json names. */
export function install() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) fail(`Threat Bus needs Node 20.19 or later; this is ${process.versions.node}.`);
  const state = digest(["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...packages().map(({ folder }) => join(folder, "package.json"))]);
  if (remembered("install") === state) return;
  const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  say("installing dependencies (once)");
  run("npm", ["exec", "--yes", `--package=${packageManager}`, "--", "pnpm", "install", "--frozen-lockfile", "--reporter=append-only"], { quiet: true });
  remember("install", state);
}

/** Builds what changed since the last build. Declarations are only needed to publish. */
export function build({ declarations = false } = {}) {
  const sources = packages().flatMap(({ folder }) => [join(folder, "package.json"), ...filesBelow(join(folder, "src"))]);
  const state = digest([...sources, "tsconfig.base.json", "scripts/build.mjs"]);
  const isDone = (kind) => remembered(kind) === state && packages().every(kind === "declarations" ? isDeclared : isBuilt);
  if (!isDone("build-js")) {
    say("building the packages");
    run(process.execPath, [join(root, "scripts", "build.mjs"), "--js"], { quiet: true });
    remember("build-js", state);
    // They went with what was there before.
    remember("declarations", "");
  }
  if (!declarations || isDone("declarations")) return;
  say("declaring their types");
  run(process.execPath, [join(root, "scripts", "build.mjs"), "--declarations"], { quiet: true });
  remember("declarations", state);
}

/** Runs a program in the root; if it fails, says what it printed and ends. */
export function run(command, args, { quiet = false, env = process.env } = {}) {
  const result = spawnSync(command, args, { cwd: root, env, stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit", encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  if (result.status === 0) return;
  if (quiet) process.stderr.write(`${result.stdout ?? ""}${result.stderr ?? ""}`);
  fail(`${[command, ...args].join(" ")} failed${result.error ? `: ${result.error.message}` : ""}`);
}

export function say(text) {
  process.stdout.write(`threatbus: ${text}\n`);
}

function fail(text) {
  process.stderr.write(`threatbus: ${text}\n`);
  process.exit(1);
}

function isBuilt({ folder }) {
  return !existsSync(join(folder, "src")) || existsSync(join(folder, "dist"));
}

function isDeclared({ folder, manifest }) {
  return manifest.private === true || existsSync(join(folder, "dist", "index.d.ts"));
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(file).update(readFileSync(resolve(root, file)));
  return hash.digest("hex");
}

function remembered(name) {
  const file = join(cache, name);
  return existsSync(file) ? readFileSync(file, "utf8") : undefined;
}

function remember(name, state) {
  mkdirSync(cache, { recursive: true });
  writeFileSync(join(cache, name), state);
}
