/**
 * Builds every package: JavaScript with tsup, then the declarations of all in one run of tsc. A manifest's `exports` and the programs in
 * its `src` say what its entries are. `--js` leaves the declarations out (running needs none), `--declarations` leaves the JavaScript as it is;
 * names of packages build only those.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { build } from "tsup";
import { packages, root } from "./workspace.mjs";

const [justJavaScript, justDeclarations] = ["--js", "--declarations"].map((flag) => process.argv.includes(flag));
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const fleet = packages().filter(({ manifest, folder }) => entriesOf(folder, manifest).length > 0 && (wanted.length === 0 || wanted.includes(manifest.name)));

let built = 0;
for (const { folder, manifest } of justDeclarations ? [] : fleet) {
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
    external: [/^[^./]/],
  });
  process.stdout.write(`  built ${++built}/${fleet.length} ${manifest.name}\n`);
}
if (!justJavaScript) declare();

/** Writes `dist/*.d.ts` of the published packages, with specifiers that name what is published. */
function declare() {
  const types = join(root, "node_modules", ".cache", "threatbus", "types");
  rmSync(types, { recursive: true, force: true });
  const tsc = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json", "--outDir", types], { cwd: root, stdio: "inherit" });
  if (tsc.status !== 0) process.exit(1);
  for (const { folder, manifest } of fleet) {
    if (manifest.private === true) continue;
    const source = join(types, relative(root, folder), "src");
    for (const entry of readdirSync(source, { recursive: true, withFileTypes: true }).filter((one) => one.isFile())) {
      const from = join(entry.parentPath, entry.name);
      const to = join(folder, "dist", relative(source, from));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, readFileSync(from, "utf8").replace(/((?:from|import\() ?"\.[^"]*)\.ts"/g, '$1.js"'));
    }
  }
  process.stdout.write("  declared\n");
}

function entriesOf(folder, manifest) {
  const exported = Object.values(manifest.exports ?? {}).map((target) => target["@threatbus/source"]).filter(Boolean);
  const programs = ["src/bin.ts", "src/feed.ts", "src/app.ts", "src/main.ts"].filter((path) => existsSync(join(folder, path)));
  return [...new Set([...exported.map((path) => path.slice(2)), ...programs])].map((path) => join(folder, path));
}
