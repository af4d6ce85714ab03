/** Hosts of the Python Threat Bus, from which this one descends: installed from its packages, started with a configuration of one's own. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify, stripVTControlCharacters } from "node:util";
import { installDebian, type Tell } from "./debian.ts";
import { privateFolder, removeFolder } from "./folder.ts";
import { needed, needs, type Needed } from "./for-tests.ts";
import { answerOf } from "./probe.ts";
import { marker } from "./processes.ts";
import { Program, controlsOf } from "./program.ts";
import type { Service } from "./service.ts";
import { quoted, requireLinux, Unavailable } from "./unavailable.ts";

const run = promisify(execFile);

export const referenceVersion = "2022.5.16";

/** All it needs to run, in the versions it was seen to work with on Python 3.11. It also names black, a formatter, and does without. */
const packages = [
  ...["threatbus", "threatbus-inmem", "threatbus-rabbitmq", "threatbus-zmq"].map((name) => `${name}==${referenceVersion}`),
  "antlr4-python3-runtime==4.8",
  "certifi==2026.10.19.post1",
  "charset-normalizer==3.5.3",
  "coloredlogs==15.0.1",
  "decorator==5.3.1",
  "dynaconf==3.3.5",
  "humanfriendly==10.0",
  "idna==3.20",
  "pika==1.4.4",
  "pluggy==1.7.0",
  "py==1.11.0",
  "python-dateutil==4.0.0",
  "pytz==2026.6",
  "pyzmq==27.3.0",
  "requests==2.34.2",
  "retry==0.9.2",
  "simplejson==4.3.0",
  "six==1.17.0",
  "stix2==3.0.1",
  "stix2-patterns==1.3.0",
  "tzdata==2026.6",
  "urllib3==2.8.0",
];

/** Milliseconds for 10 MB, one package of which is built here. */
const patience = 300_000;

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
"$folder/bin/threatbus" --help > "$folder/complete.part"
mv "$folder/complete.part" "$folder/complete"
`;

/** Installs the reference into a virtual environment, once per user. Resolves with its command. Throws `Unavailable`. */
export async function requireReference(tell: Tell = () => undefined): Promise<string> {
  requireLinux();
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "threatbus", "services");
  const folder = join(cache, `reference-${referenceVersion}`);
  if (!existsSync(join(folder, "complete"))) {
    await requirePython(tell);
    tell(`installing the Python Threat Bus ${referenceVersion}`);
    await mkdir(cache, { recursive: true });
    const env = { ...process.env, folder, packages: packages.join(" ") };
    await run("flock", [cache, "sh", "-c", script], { env, timeout: patience, maxBuffer: 64 * 1024 * 1024 }).catch((thrown: unknown) => {
      throw new Unavailable(`the Python Threat Bus ${referenceVersion} is not here, and pip cannot install it: ${quoted(thrown, /(?<=^ERROR: ).*/m)}`);
    });
  }
  return join(folder, "bin", "threatbus");
}

async function requirePython(tell: Tell): Promise<void> {
  if (await hasPython()) return;
  await installDebian({ title: "Python 3 with venv and pip", packages: ["python3-venv"] }, tell);
  if (!(await hasPython())) throw new Unavailable("the python3 that is found first has neither venv nor pip, though those of the system are installed");
}

const hasPython = (): Promise<boolean> => run("python3", ["-c", "import venv, ensurepip"]).then(() => true, () => false);

/**
 * For a test file that starts hosts of the reference on a RabbitMQ of its own. Installs both. Where one of them cannot be had, what stands in
 * the returned `describe` is skipped; with CI set, it throws the reason instead.
 */
export async function needsReference(): Promise<Needed> {
  const broker = await needs("rabbitmq");
  if (broker.missing !== undefined) return broker;
  const missing = await requireReference().then(() => undefined, (thrown: unknown) => {
    if (thrown instanceof Unavailable) return thrown.message;
    throw thrown;
  });
  return needed("Python Threat Bus", missing);
}

export interface ReferenceOptions {
  /** The whole of its configuration file, YAML. A relative path in it is one of the host's own folder. */
  readonly config: string;
  /** The management port of its zmq app, as the configuration has it. */
  readonly manage: number;
}

export interface Reference extends Service {
  /** What it logged to the console, without colours. */
  log(): Promise<string>;
}

/** Starts a host of the reference. Resolves when apps may join it, which does not mean that it has reached its broker. */
export async function reference({ config, manage }: ReferenceOptions): Promise<Reference> {
  const file = await requireReference();
  const folder = await privateFolder("reference");
  const log = join(folder, "output.log");
  await writeFile(join(folder, "config.yaml"), config);
  const host = new Program({
    name: "the reference",
    file,
    args: ["-c", join(folder, "config.yaml")],
    env: { PATH: process.env["PATH"], LANG: "C.UTF-8", HOME: folder, PYTHONUNBUFFERED: "1", [marker]: folder },
    folder,
    log,
    answers: () => answersZmtp(manage),
  });
  try {
    await host.start();
  } catch (thrown) {
    removeFolder(folder);
    throw thrown;
  }
  return {
    host: "127.0.0.1",
    version: referenceVersion,
    get pid() {
      return host.pid;
    },
    log: async () => stripVTControlCharacters(await readFile(log, "utf8")),
    ...controlsOf(host, folder),
  };
}

/** The first ten bytes of a ZMTP 3 greeting, which both sides send at once: a length that older versions understand, between two marks. */
const signature = Buffer.from("ff00000000000000017f", "hex");

function answersZmtp(port: number): Promise<boolean> {
  return answerOf(connect(port, "127.0.0.1"), signature, (received) => (received.length < 10 ? undefined : received[0] === 0xff && received[9] === 0x7f));
}
