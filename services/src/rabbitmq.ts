import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePorts } from "@threatbus/testkit";
import { answersAmqp } from "./amqp-probe.ts";
import { certificates, type Certificates } from "./certificates.ts";
import { privateFolder, removeFolder } from "./folder.ts";
import { listens } from "./probe.ts";
import { marker } from "./processes.ts";
import { Program, controlsOf, launch } from "./program.ts";
import { requireRabbitmq, rabbitmqPrograms } from "./rabbitmq-install.ts";
import type { Service } from "./service.ts";

const run = promisify(execFile);

export interface RabbitmqOptions {
  /** A second listener for `amqps`; "mutual" refuses clients without a certificate. Default: none. */
  readonly tls?: boolean | "mutual";
  /** More lines for rabbitmq.conf. */
  readonly conf?: readonly string[];
}

export interface Rabbitmq extends Service {
  /** `amqp://guest:guest@127.0.0.1:…` */
  readonly url: string;
  readonly port: number;
  /** Throws if `tls` was not asked for. */
  readonly tls: TlsListener;
  /** rabbitmqctl, which takes about a second; resolves with what it prints. */
  ctl(...args: readonly string[]): Promise<string>;
}

export interface TlsListener extends Certificates {
  readonly port: number;
}

/** Starts a RabbitMQ of its own, on 127.0.0.1 alone. Resolves when it takes connections. */
export async function rabbitmq({ tls = false, conf = [] }: RabbitmqOptions = {}): Promise<Rabbitmq> {
  await requireRabbitmq();
  const folder = await privateFolder("rabbitmq");
  try {
    return await launchIn(folder, tls, conf);
  } catch (thrown) {
    removeFolder(folder);
    throw thrown;
  }
}

async function launchIn(folder: string, tls: boolean | "mutual", conf: readonly string[]): Promise<Rabbitmq> {
  const [port, distribution, names, secure] = (await freePorts(4)) as [number, number, number, number];
  const listener: TlsListener | undefined = tls === false ? undefined : { port: secure, ...(await certificates(join(folder, "tls"))) };
  const env = environment(folder, { port, distribution, names });
  await mkdir(join(folder, "home"));
  await writeFile(join(folder, "rabbitmq.conf"), [...(listener === undefined ? [] : tlsLines(listener, tls === "mutual")), ...conf, ""].join("\n"));
  await writeFile(join(folder, "plugins"), "[].\n");
  const log = join(folder, "output.log");
  // A name server of its own: the one a node starts would outlive it and listen on every interface.
  launch({ file: "epmd", args: ["-port", String(names), "-address", "127.0.0.1"], env, folder, log });
  const node = new Program({
    name: "RabbitMQ",
    file: join(rabbitmqPrograms, "rabbitmq-server"),
    args: [],
    env,
    folder,
    log,
    // The listener for TLS comes last.
    answers: async () => (await answersAmqp(connect(port, "127.0.0.1"))) && (listener === undefined || listens(listener.port)),
  });
  const command = async (...args: readonly string[]): Promise<string> => (await run(join(rabbitmqPrograms, "rabbitmqctl"), args, { env, cwd: folder })).stdout;
  const ctl = (...args: readonly string[]): Promise<string> =>
    command(...args).catch(async (failed: Error) => {
      // A node answers its first clients a moment before it takes orders.
      if (!/app to be running/.test(failed.message)) throw failed;
      await command("await_startup");
      return command(...args);
    });
  await node.start();
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    host: "127.0.0.1",
    port,
    version: await versionIn(folder),
    get pid() {
      return node.pid;
    },
    get tls() {
      if (listener === undefined) throw new Error("started without TLS");
      return listener;
    },
    ctl,
    ...controlsOf(node, folder),
  };
}

interface Ports {
  readonly port: number;
  /** Of Erlang's distribution, over which rabbitmqctl talks to the node. */
  readonly distribution: number;
  /** Of epmd, Erlang's name server. */
  readonly names: number;
}

function environment(folder: string, { port, distribution, names }: Ports): NodeJS.ProcessEnv {
  const { PATH, LANG = "C.UTF-8" } = process.env;
  return {
    PATH,
    LANG,
    // Holds the cookie, Erlang's shared secret.
    HOME: join(folder, "home"),
    [marker]: folder,
    ERL_EPMD_PORT: String(names),
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: "threatbus@localhost",
    RABBITMQ_NODE_IP_ADDRESS: "127.0.0.1",
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(folder, "data"),
    RABBITMQ_LOG_BASE: join(folder, "log"),
    RABBITMQ_LOGS: "-",
    RABBITMQ_PID_FILE: join(folder, "pid"),
    RABBITMQ_CONFIG_FILE: join(folder, "rabbitmq.conf"),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, "plugins"),
    RABBITMQ_GENERATED_CONFIG_DIR: join(folder, "generated"),
    RABBITMQ_CONF_ENV_FILE: "/dev/null",
    // No dumps of memory.
    ERL_CRASH_DUMP_SECONDS: "0",
    // The script becomes the Erlang machine instead of waiting for it as its parent; without a shell, all the same.
    RABBITMQ_ALLOW_INPUT: "true",
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
  };
}

function tlsLines({ port, caFile, certFile, keyFile }: TlsListener, mutual: boolean): string[] {
  return [
    `listeners.ssl.1 = 127.0.0.1:${port}`,
    `ssl_options.cacertfile = ${caFile}`,
    `ssl_options.certfile = ${certFile}`,
    `ssl_options.keyfile = ${keyFile}`,
    "ssl_options.verify = verify_peer",
    `ssl_options.fail_if_no_peer_cert = ${mutual}`,
  ];
}

async function versionIn(folder: string): Promise<string> {
  const file = join(folder, "output.log");
  const printed = existsSync(file) ? await readFile(file, "utf8") : "";
  return /RabbitMQ (\d+\.\d+\.\d+)/.exec(printed)?.[1] ?? "unknown";
}
