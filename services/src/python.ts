/** Programs that come as Python packages, each in a virtual environment of its own, in the user's cache. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { installDebian, type Tell } from "./debian.ts";
import { quoted, requireLinux, Unavailable } from "./unavailable.ts";

const run = promisify(execFile);

export interface PythonProgram {
  /** For sentences. */
  readonly title: string;
  /** Of the cache. */
  readonly folder: string;
  /** As pip takes them, every one that it needs: none is looked for. */
  readonly packages: readonly string[];
  /** A command and its arguments, words without blanks, that show the installation to work. */
  readonly proof: readonly string[];
}

/** Milliseconds for at most 175 MB, or for a package that is built here. */
const patience = 600_000;

/**
 * A virtual environment cannot be moved: it is made in its place, and the file `complete` is written last. Who comes second waits for the
 * lock, and then finds the work done; what a killed installation left is removed by the next.
 */
const script = `
set -eu
[ ! -e "$folder/complete" ] || exit 0
rm -rf "$folder"
python3 -m venv "$folder"
"$folder/bin/pip" install --quiet --disable-pip-version-check --no-deps $packages
"$folder/bin/"$proof > "$folder/complete.part"
mv "$folder/complete.part" "$folder/complete"
`;

/** Installs a program once per user. Resolves with the folder of its commands. Throws `Unavailable`. */
export async function requirePythonProgram({ title, folder: name, packages, proof }: PythonProgram, tell: Tell): Promise<string> {
  requireLinux();
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "threatbus", "services");
  const folder = join(cache, name);
  if (!existsSync(join(folder, "complete"))) {
    await requirePython(tell);
    tell(`installing ${title}`);
    await mkdir(cache, { recursive: true });
    const env = { ...process.env, folder, packages: packages.join(" "), proof: proof.join(" ") };
    await run("flock", [cache, "sh", "-c", script], { env, timeout: patience, maxBuffer: 64 * 1024 * 1024 }).catch((thrown: unknown) => {
      throw new Unavailable(`${title} is not here, and pip cannot install it: ${quoted(thrown, /(?<=^ERROR: ).*/m)}`);
    });
  }
  return join(folder, "bin");
}

async function requirePython(tell: Tell): Promise<void> {
  if (await hasPython()) return;
  await installDebian({ title: "Python 3 with venv and pip", packages: ["python3-venv"] }, tell);
  if (!(await hasPython())) throw new Unavailable("the python3 that is found first has neither venv nor pip, though those of the system are installed");
}

const hasPython = (): Promise<boolean> => run("python3", ["-c", "import venv, ensurepip"]).then(() => true, () => false);
