import { readdirSync, existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = dirname(fileURLToPath(import.meta.url));
const scale = Math.max(1, Number(process.env["THREATBUS_TEST_SCALE"] ?? 1));
const conditions = ["@threatbus/source", "module", "node"];

/** Every folder with a manifest is a project, named after its folder. */
const projects = ["packages", "packages/backbones", "packages/app-plugins", "apps", "examples", ""]
  .flatMap((parent) => (parent === "" ? ["bench", "services", "test"] : subfolders(parent)))
  .filter((folder) => existsSync(join(root, folder, "package.json")))
  .map((folder) => ({ extends: true as const, root: join(root, folder), test: { name: basename(folder) } }));

function subfolders(parent: string): string[] {
  const path = join(root, parent);
  return existsSync(path) ? readdirSync(path).map((name) => join(parent, name)) : [];
}

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    // ZeroMQ aborts the process when a worker thread that used it ends.
    pool: "forks",
    // Most of the time tests wait for brokers and timers.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    // Against what hangs, and the only limits there are: no test is measured by them, and the machine may have other things to do.
    testTimeout: 300_000 * scale,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 60_000 * scale, interval: 20 } },
    projects,
  },
});
