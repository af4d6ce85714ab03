import { readdirSync, existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = dirname(fileURLToPath(import.meta.url));
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
    testTimeout: 20_000,
    hookTimeout: 30_000,
    projects,
  },
});
