/** Hosts of the Python Threat Bus, from which this one descends: installed from its packages, started with a configuration of one's own. */
import { readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import type { Tell } from "./debian.ts";
import { privateFolder, removeFolder } from "./folder.ts";
import { needed, needs, type Needed } from "./for-tests.ts";
import { answerOf } from "./probe.ts";
import { marker } from "./processes.ts";
import { Program, controlsOf } from "./program.ts";
import { requirePythonProgram } from "./python.ts";
import type { Service } from "./service.ts";
import { Unavailable } from "./unavailable.ts";

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

/** Installs the reference into a virtual environment, once per user. Resolves with its command. Throws `Unavailable`. */
export async function requireReference(tell: Tell = () => undefined): Promise<string> {
  const title = `the Python Threat Bus ${referenceVersion}`;
  return join(await requirePythonProgram({ title, folder: `reference-${referenceVersion}`, packages, proof: ["threatbus", "--help"] }, tell), "threatbus");
}

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
