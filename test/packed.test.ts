import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { fakeMisp, mispFeed } from "@threatbus/testkit";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { published, readText, root } from "./workspace.ts";

const run = promisify(execFile);
const minutes = 60_000;
let folder: string | undefined;
const tarballs = new Map<string, string>();

/** Packs every published package as it would be published, into one folder. */
beforeAll(async () => {
  const unbuilt = published.filter(({ folder: at }) => !existsSync(join(at, "dist", "index.d.ts"))).map(({ name }) => name);
  if (unbuilt.length > 0) throw new Error(`not built with declarations: ${unbuilt.join(", ")}; run npm run build`);
  const into = (folder = await mkdtemp(join(tmpdir(), "threatbus-packed-")));
  const { packageManager } = JSON.parse(readText("package.json")) as { packageManager: string };
  const pnpm = ["exec", "--yes", `--package=${packageManager}`, "--", "pnpm"];
  await run("npm", [...pnpm, "--recursive", ...published.flatMap(({ name }) => ["--filter", name]), "pack", "--pack-destination", into], { cwd: root, maxBuffer: 1 << 26 });
  for (const { name, manifest } of published) tarballs.set(name, join(into, `${name.replace("@", "").replace("/", "-")}-${manifest.version}.tgz`));
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const tarballOf = (name: string): string => tarballs.get(name) ?? "";

/** A project that has these of the packed packages, as npm installs them. */
async function install(called: string, names: readonly string[]): Promise<{ project: string; node(...args: readonly string[]): Promise<{ stdout: string }> }> {
  const project = join(folder ?? "", called);
  await mkdir(project);
  const dependencies = Object.fromEntries(names.map((name) => [name, `file:${tarballOf(name)}`]));
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module", dependencies }));
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--prefer-offline", "--loglevel=error"];
  await run("npm", ["install", ...quiet], { cwd: project, maxBuffer: 1 << 26 });
  return { project, node: (...args) => run(process.execPath, args, { cwd: project, timeout: minutes }) };
}

/** A package and all of the workspace it needs to run. */
function needed(name: string, found: Set<string> = new Set()): Set<string> {
  const manifest = published.find((each) => each.name === name)?.manifest;
  if (manifest === undefined || found.has(name)) return found;
  found.add(name);
  for (const each of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) needed(each, found);
  return found;
}

describe.each(published)("$name, packed", ({ name }) => {
  it("passes publint", async () => {
    const bytes = await readFile(tarballOf(name));
    const { messages, pkg } = await publint({ strict: true, pack: { tarball: new Uint8Array(bytes).buffer } });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it("passes attw", async () => {
    const attw = join(dirname(createRequire(import.meta.url).resolve("@arethetypeswrong/cli/package.json")), "dist", "index.js");
    await run(process.execPath, [attw, tarballOf(name), "--profile", "esm-only", "--no-color", "--no-emoji"]).catch((thrown: Error & { stdout?: string }) => expect.fail(thrown.stdout ?? thrown.message));
  });
});

describe("installed alone into an empty project, no scripts run", () => {
  let project: string, node: Awaited<ReturnType<typeof install>>["node"];
  beforeAll(async () => void ({ project, node } = await install("project", [...tarballs.keys()])));

  it.each(published)("$name can be imported under plain Node", async ({ name, manifest }) => {
    for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
      if (typeof target === "string") continue;
      const specifier = `${name}${entry.slice(1)}`;
      const program = `const names = Object.keys(await import("${specifier}")); console.log(import.meta.resolve("${specifier}")); console.log(names.length);`;
      const [url = "", count] = (await node("--input-type=module", "-e", program)).stdout.split("\n");
      expect(url).toContain(`/project/node_modules/${name}/dist/`);
      // The command has nothing to import; the types-only package has its vocabularies.
      if (manifest.bin === undefined) expect(Number(count)).toBeGreaterThan(0);
    }
  });

  it("brings core once", async () => {
    const found = (await readdir(join(project, "node_modules"), { recursive: true })).filter((path) => /(^|\/)@threatbus\/core\/package\.json$/.test(path));
    expect(found).toEqual(["@threatbus/core/package.json"]);
  });

  it("leaves no range of the workspace behind", async () => {
    for (const { name } of published) {
      expect(await readFile(join(project, "node_modules", name, "package.json"), "utf8"), name).not.toContain("workspace:");
    }
  });

  it("has a command that runs", async () => {
    for (const { manifest } of published) for (const [command, file] of Object.entries(manifest.bin ?? {})) {
      const { stdout } = await node(join("node_modules", manifest.name, file), "--version");
      expect(stdout, command).toContain(manifest.version);
    }
  });
});

describe("the MISP plugin, installed with neither zeromq nor kafkajs", () => {
  let project: string, node: Awaited<ReturnType<typeof install>>["node"];
  beforeAll(async () => void ({ project, node } = await install("misp-alone", [...needed("@threatbus/misp"), ...needed("@threatbus/inmem")])));

  /** What a bus with these options says, if it says it, or why it does not start. */
  async function start(options: object, says: string): Promise<unknown> {
    const program = `
      import { createBus, silentLogger } from "@threatbus/core";
      import { inmem } from "@threatbus/inmem";
      import { misp } from "@threatbus/misp";
      let answered;
      const answers = new Promise((resolve) => (answered = (text) => text === ${JSON.stringify(says)} && resolve(text)));
      const bus = createBus({ backbones: [inmem()], apps: [misp(${JSON.stringify(options)})], logger: { ...silentLogger, info: answered } });
      const told = await bus.start().then(() => answers, ({ code, message, hint }) => ({ code, message, hint }));
      await bus.stop();
      console.log(JSON.stringify(told));`;
    return JSON.parse((await node("--input-type=module", "-e", program)).stdout);
  }

  it("has none of them", async () => {
    const names = await readdir(join(project, "node_modules"), { recursive: true });
    expect(names.filter((name) => /(^|\/)(zeromq|kafkajs)$/.test(name))).toEqual([]);
    expect(names).toContain("@threatbus/misp");
  });

  it("starts with MISP's API alone, and asks it", async () => {
    const api = await fakeMisp();
    onTestFinished(() => api.stop());
    expect(await start({ api: { host: api.url, key: api.key } }, "MISP answers")).toBe("MISP answers");
  });

  it("listens to MISP's ZeroMQ publisher", async () => {
    const feed = await mispFeed();
    onTestFinished(() => feed.stop());
    expect(await start({ zmq: { host: "127.0.0.1", port: feed.port } }, "connected to MISP")).toBe("connected to MISP");
  });

  it("does not start with Kafka, and says what to install", async () => {
    expect(await start({ kafka: {} }, "")).toEqual({ code: "PLUGIN_START_FAILED", message: "misp.kafka needs the package kafkajs, which is not installed", hint: "run: npm install kafkajs" });
  });
});
