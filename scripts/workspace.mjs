import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top folder of the workspace. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Every package: folder and manifest, those first that others need. */
export function packages() {
  const folders = ["packages", "packages/backbones", "packages/app-plugins", "apps", "examples", "."].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => join(root, parent, name)),
  );
  const found = folders
    .filter((folder) => existsSync(join(folder, "package.json")))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) }));
  const byName = new Map(found.map((one) => [one.manifest.name, one]));
  const sorted = new Set();
  const visit = (one) => {
    if (one === undefined || sorted.has(one)) return;
    const { dependencies = {}, peerDependencies = {} } = one.manifest;
    for (const name of Object.keys({ ...dependencies, ...peerDependencies })) visit(byName.get(name));
    sorted.add(one);
  };
  found.forEach(visit);
  return [...sorted];
}
