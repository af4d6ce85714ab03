/**
 * Builds every package with tsup. A manifest's `exports` and the files its `bin` imports say what its entries are.
 * `--js` leaves the declarations out (what running needs); names of packages build only those.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "tsup";
import { packages, root } from "./workspace.mjs";

const declarations = !process.argv.includes("--js");
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const fleet = packages().filter(({ manifest, folder }) => entriesOf(folder, manifest).length > 0 && (wanted.length === 0 || wanted.includes(manifest.name)));

let built = 0;
for (const { folder, manifest } of fleet) {
  await build({
    config: false,
    silent: true,
    cwd: folder,
    entry: entriesOf(folder, manifest),
    outDir: join(folder, "dist"),
    tsconfig: join(root, "tsconfig.build.json"),
    format: "esm",
    target: "node20",
    platform: "node",
    clean: true,
    dts: declarations && manifest.private !== true,
    external: [/^[^./]/],
  });
  process.stdout.write(`  built ${++built}/${fleet.length} ${manifest.name}\n`);
}

function entriesOf(folder, manifest) {
  const exported = Object.values(manifest.exports ?? {}).map((target) => target["@threatbus/source"]).filter(Boolean);
  const programs = ["src/bin.ts", "src/feed.ts", "src/app.ts", "src/main.ts"].filter((path) => existsSync(join(folder, path)));
  return [...new Set([...exported.map((path) => path.slice(2)), ...programs])].map((path) => join(folder, path));
}
