/** Packages of the system, on Debian and what descends from it. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { quoted, Unavailable } from "./unavailable.ts";

const run = promisify(execFile);

/** Milliseconds. A slow mirror needs minutes for the 35 MB of RabbitMQ. */
const patience = 600_000;

/**
 * Installs a package and starts nothing of it: `policy-rc.d` is how Debian is told so. One that is there already is not touched; ours
 * goes again with the shell and, should even that not come about, allows everything once the shell is gone. A service that systemd would
 * start with the machine is switched off. Runs after one another take turns by a lock on apt-get itself, a file that is always there.
 */
const script = `
set -eu
exec 9< /usr/bin/apt-get
flock 9
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  trap 'rm -f $policy' EXIT
  trap 'exit 1' HUP INT TERM
  printf '#!/bin/sh\\nkill -0 %s && exit 101\\nexit 104\\n' $$ > $policy
  chmod 755 $policy
fi
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
install() {
  for name in $packages; do
    if apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 "$name"; then return 0; fi
  done
  return 1
}
install || { apt-get update --quiet; install; } || exit 1
if [ -d /run/systemd/system ]; then
  for unit in $units; do systemctl disable --quiet "$unit" || true; done
fi
`;

/** Told what takes longer than usual, such as `installing RabbitMQ`. */
export type Tell = (progress: string) => void;

export interface DebianPackage {
  /** For sentences. */
  readonly title: string;
  /** The first that can be had is installed. */
  readonly packages: readonly string[];
  /** What systemd must not start with the machine. */
  readonly units?: readonly string[];
}

/** Throws `Unavailable` where that is not possible. */
export async function installDebian({ title, packages, units = [] }: DebianPackage, tell: Tell): Promise<void> {
  const missing = `${title} is not installed`;
  if (!existsSync("/usr/bin/apt-get")) throw new Unavailable(`${missing}, and only on Debian and its kin it is done by itself`);
  const command = `sudo apt-get install ${packages[0]}`;
  const asRoot = await rootCommand();
  if (asRoot === undefined) throw new Unavailable(`${missing}, and this user may not: ${command}`);
  tell(`installing ${title}`);
  const settings = [`packages=${packages.join(" ")}`, `units=${units.join(" ")}`];
  const [file = "", ...args] = [...asRoot, "env", ...settings, "sh", "-c", script];
  try {
    await run(file, args, { timeout: patience, maxBuffer: 64 * 1024 * 1024 });
  } catch (thrown) {
    throw new Unavailable(`${missing}, and \`${command}\` fails: ${quoted(thrown, /^E: .*/m)}`);
  }
}

/** What to put before a command that only root may run. `sudo` is asked in CI alone: nobody's own machine is to be changed by a test. */
async function rootCommand(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if ((process.env["CI"] ?? "") === "") return undefined;
  return run("sudo", ["--non-interactive", "true"]).then(() => ["sudo", "--non-interactive"], () => undefined);
}
