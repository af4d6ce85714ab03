import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "@threatbus/testkit";
import { certificates, type Certificates } from "./certificates.ts";
import { privateFolder, removeFolder } from "./folder.ts";
import { newestKafka, requireKafka, type KafkaPrograms } from "./kafka-install.ts";
import { answersKafka } from "./kafka-probe.ts";
import { listens } from "./probe.ts";
import { properties, saslPassword, saslUser, type Listener } from "./kafka-properties.ts";
import { marker } from "./processes.ts";
import { Program, controlsOf } from "./program.ts";
import type { Service } from "./service.ts";

const run = promisify(execFile);

export interface KafkaOptions {
  /** Default 4.4.0; 3.9 and 4.x work. */
  readonly version?: string;
  /**
   * A listener whose clients are sent to this address, which is a proxy's. Default: none. `listen` is the port the proxy finds it at, for a
   * proxy that has to know before; by default a free one, `proxied.port`.
   */
  readonly advertise?: { readonly host: string; readonly port: number; readonly listen?: number };
  /** A listener for TLS; "mutual" refuses clients without a certificate. Default: none. */
  readonly tls?: boolean | "mutual";
  /** A listener for SASL PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, without TLS. Default: none. */
  readonly sasl?: boolean;
  /** More lines for server.properties. */
  readonly properties?: readonly string[];
}

export interface Kafka extends Service {
  /** Of the plain listener, which is always there: `127.0.0.1:…` */
  readonly bootstrap: string;
  readonly port: number;
  /** The listener that advertises what `advertise` says. Throws if that was not asked for, as the next two do. */
  readonly proxied: { readonly port: number };
  readonly tls: Certificates & { readonly port: number; readonly bootstrap: string };
  readonly sasl: { readonly port: number; readonly bootstrap: string; readonly username: string; readonly password: string };
}

/** Starts a Kafka of its own, one node that is its own controller, on 127.0.0.1 alone. Resolves when it answers. */
export async function kafka(options: KafkaOptions = {}): Promise<Kafka> {
  const { version = newestKafka } = options;
  const programs = await requireKafka(version);
  const folder = await privateFolder("kafka");
  try {
    return await launchIn(folder, programs, version, options);
  } catch (thrown) {
    removeFolder(folder);
    throw thrown;
  }
}

async function launchIn(folder: string, { java, classPath }: KafkaPrograms, version: string, options: KafkaOptions): Promise<Kafka> {
  const { advertise, tls = false, sasl = false, properties: more = [] } = options;
  const [port, controller, secure, guarded, free] = (await freePorts(5)) as [number, number, number, number, number];
  const proxied = advertise?.listen ?? free;
  const files = tls === false ? undefined : await certificates(join(folder, "tls"));
  const listeners: Listener[] = [
    { name: "DIRECT", port, protocol: "PLAINTEXT" },
    ...(advertise === undefined ? [] : [{ name: "PROXIED", port: proxied, protocol: "PLAINTEXT", advertise } as const]),
    ...(files === undefined ? [] : [{ name: "SECURE", port: secure, protocol: "SSL" } as const]),
    ...(sasl ? [{ name: "GUARDED", port: guarded, protocol: "SASL_PLAINTEXT" } as const] : []),
  ];
  const config = join(folder, "server.properties");
  await writeFile(config, [...properties({ folder, listeners, controller, certificates: files, mutual: tls === "mutual" }), ...more, ""].join("\n"));
  const env = { PATH: process.env["PATH"], LANG: "C.UTF-8", HOME: folder, [marker]: folder };
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => ["--add-scram", `${mechanism}=[name=${saslUser},password=${saslPassword}]`]);
  // A short life: the second compiler would cost half of it.
  await run(java, ["-XX:TieredStopAtLevel=1", "-cp", classPath, "kafka.tools.StorageTool", "format", "-t", randomId(), "-c", config, ...(sasl ? users : [])], { cwd: folder, env });
  const node = new Program({
    name: `Kafka ${version}`,
    file: java,
    args: ["-Xmx256m", "-cp", classPath, "kafka.Kafka", config],
    env,
    folder,
    log: join(folder, "output.log"),
    // It opens its listeners one after the other.
    answers: async () => (await answersKafka(connect(port, "127.0.0.1"))) && (await Promise.all(listeners.map((each) => listens(each.port)))).every(Boolean),
  });
  await node.start();
  const asked = <T>(what: string, wanted: boolean, value: T): T => {
    if (!wanted) throw new Error(`started without \`${what}\``);
    return value;
  };
  return {
    host: "127.0.0.1",
    bootstrap: `127.0.0.1:${port}`,
    port,
    version,
    get pid() {
      return node.pid;
    },
    get proxied() {
      return asked("advertise", advertise !== undefined, { port: proxied });
    },
    get tls() {
      return asked("tls", files !== undefined, { port: secure, bootstrap: `127.0.0.1:${secure}`, ...(files as Certificates) });
    },
    get sasl() {
      return asked("sasl", sasl, { port: guarded, bootstrap: `127.0.0.1:${guarded}`, username: saslUser, password: saslPassword });
    },
    ...controlsOf(node, folder),
  };
}

/** As Kafka writes the ids of clusters: 16 bytes in base64url. One that begins with a dash would be taken for an option. */
function randomId(): string {
  const id = randomBytes(16).toString("base64url");
  return id.startsWith("-") ? randomId() : id;
}
